package store

import (
	"context"
	"database/sql"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Partners returns all partners, ordered by name.
func (s *Store) Partners(ctx context.Context) ([]seed.Tenant, error) {
	return queryAll(ctx, s, "list partners", func(rows *sql.Rows) (p seed.Tenant, err error) {
		return p, rows.Scan(&p.TenantID, &p.Name, &p.Domain, &p.MPNID, &p.Country)
	}, `SELECT partner_id, name, domain, mpn_id, country FROM partners ORDER BY name, partner_id`)
}

// IndirectResellers returns the partner's indirect resellers, ordered by name.
func (s *Store) IndirectResellers(ctx context.Context, partnerID string) ([]seed.IndirectReseller, error) {
	return queryAll(ctx, s, "list indirect resellers", func(rows *sql.Rows) (r seed.IndirectReseller, err error) {
		return r, rows.Scan(&r.TenantID, &r.Name, &r.MPNID, &r.Location)
	}, `
SELECT reseller_id, name, mpn_id, location FROM indirect_resellers
WHERE partner_id = $1 ORDER BY name, reseller_id`, idKey(partnerID))
}

var (
	putPartnerSQL          = upsert("partners", []string{"partner_id"}, []string{"name", "domain", "mpn_id", "country"})
	putIndirectResellerSQL = upsert("indirect_resellers", []string{"partner_id", "reseller_id"}, []string{"name", "mpn_id", "location"})
)

func (bulk *bulkTx) putPartner(p *seed.Tenant) (changed bool, err error) {
	return bulk.exec(putPartnerSQL, idKey(p.TenantID), p.Name, p.Domain, p.MPNID, p.Country)
}

func (bulk *bulkTx) putIndirectReseller(partnerID string, r *seed.IndirectReseller) (changed bool, err error) {
	return bulk.exec(putIndirectResellerSQL, idKey(partnerID), idKey(r.TenantID), r.Name, r.MPNID, r.Location)
}
