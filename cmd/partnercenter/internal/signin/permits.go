package signin

import (
	"fmt"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// refusedCall is a documented call that a token does not allow.
type refusedCall struct {
	Call   string `json:"call"`
	Reason string `json:"reason"`
}

// permits are the documented calls, by whether a token allows them.
type permits struct {
	can    []string
	cannot []refusedCall
}

// permitsOf reads them off a token. What the token leaves open, such as roles
// that only the service knows, counts as allowed. An empty cloud offers all.
func permitsOf(c *connect.Claims, cloud partnercenter.CloudName) permits {
	p := permits{can: []string{}, cannot: []refusedCall{}}
	_, graph, known := connect.KnownAudience(strings.Join(c.Audience, " "))
	for _, o := range partnercenter.Operations() {
		reason := ""
		switch roles := c.PartnerRoles(); {
		case !known:
			reason = "the token is not for Partner Center"
		case c.ForUser() && graph:
			reason = "a user's token has to be for Partner Center itself"
		case c.ForUser() && c.WithoutMFA():
			reason = "the user signed in without multi-factor authentication"
		case cloud != "" && !o.OfferedIn(cloud):
			reason = "not offered in " + cloud.Title()
		case !c.ForUser() && !o.TakesApp():
			reason = "wants a signed-in user: partnercenter login"
		case c.ForUser() && !o.TakesUser():
			reason = "takes an app only: --as app"
		case c.ForUser() && len(roles) > 0 && !o.Allows(roles...):
			reason = "wants the role " + terminal.OrList(terminal.Texts(o.Roles()))
		}
		if reason == "" {
			p.can = append(p.can, o.String())
		} else {
			p.cannot = append(p.cannot, refusedCall{o.String(), reason})
		}
	}
	return p
}

// print lists the calls by what they have in common.
func (p *permits) print(b *strings.Builder) {
	fmt.Fprintf(b, "\nThe token allows %d of the API's %d documented calls", len(p.can), len(p.can)+len(p.cannot))
	if len(p.can) > 0 {
		fmt.Fprintf(b, ":\n%s\n", byArea(p.can))
	} else {
		b.WriteString(".\n")
	}
	var reasons []string
	calls := map[string][]string{}
	for _, refused := range p.cannot {
		if calls[refused.Reason] == nil {
			reasons = append(reasons, refused.Reason)
		}
		calls[refused.Reason] = append(calls[refused.Reason], refused.Call)
	}
	for _, reason := range reasons {
		fmt.Fprintf(b, "\nIt does not allow (%s):\n%s\n", reason, byArea(calls[reason]))
	}
}

// byArea writes a line for each area, and more where one is too short.
func byArea(calls []string) string {
	var areas []string
	names := map[string][]string{}
	for _, call := range calls {
		area, name, _ := strings.Cut(call, " ")
		if names[area] == nil {
			areas = append(areas, area)
		}
		names[area] = append(names[area], name)
	}
	width := 0
	for _, area := range areas {
		width = max(width, len(area))
	}
	var lines []string
	for _, area := range areas {
		list := strings.ReplaceAll(terminal.Wrap(names[area], 74-width), "\n  ", "\n"+strings.Repeat(" ", width+4))
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, area, strings.TrimSpace(list)))
	}
	return strings.Join(lines, "\n")
}
