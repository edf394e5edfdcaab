package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Partners returns all partners, ordered by name.
func (s *Store) Partners(ctx context.Context) ([]seed.Tenant, error) {
	rows, err := s.read.QueryContext(ctx,
		`SELECT partner_id, name, domain, mpn_id, country FROM partners ORDER BY name, partner_id`)
	list, err := scanAll(rows, err, func(rows *sql.Rows) (p seed.Tenant, err error) {
		return p, rows.Scan(&p.TenantID, &p.Name, &p.Domain, &p.MPNID, &p.Country)
	})
	if err != nil {
		return nil, fmt.Errorf("store: list partners: %w", err)
	}
	return list, nil
}

// IndirectResellers returns the partner's indirect resellers, ordered by name.
func (s *Store) IndirectResellers(ctx context.Context, partnerID string) ([]seed.IndirectReseller, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT reseller_id, name, mpn_id, location FROM indirect_resellers
WHERE partner_id = $1 ORDER BY name, reseller_id`, guid.Key(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (r seed.IndirectReseller, err error) {
		return r, rows.Scan(&r.TenantID, &r.Name, &r.MPNID, &r.Location)
	})
	if err != nil {
		return nil, fmt.Errorf("store: list indirect resellers: %w", err)
	}
	return list, nil
}

func (w *writer) putPartner(p *seed.Tenant) (changed bool, err error) {
	return w.exec(`
INSERT INTO partners (partner_id, name, domain, mpn_id, country) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id) DO UPDATE SET
    name = excluded.name, domain = excluded.domain, mpn_id = excluded.mpn_id, country = excluded.country
WHERE (partners.name, partners.domain, partners.mpn_id, partners.country)
   <> (excluded.name, excluded.domain, excluded.mpn_id, excluded.country)`,
		guid.Key(p.TenantID), p.Name, p.Domain, p.MPNID, p.Country)
}

func (w *writer) putIndirectReseller(partnerID string, r *seed.IndirectReseller) (changed bool, err error) {
	return w.exec(`
INSERT INTO indirect_resellers (partner_id, reseller_id, name, mpn_id, location) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id, reseller_id) DO UPDATE SET
    name = excluded.name, mpn_id = excluded.mpn_id, location = excluded.location
WHERE (indirect_resellers.name, indirect_resellers.mpn_id, indirect_resellers.location)
   <> (excluded.name, excluded.mpn_id, excluded.location)`,
		guid.Key(partnerID), guid.Key(r.TenantID), r.Name, r.MPNID, r.Location)
}
