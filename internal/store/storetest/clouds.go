package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// cloudAccess keeps one way into each cloud for each organization.
func cloudAccess(t *testing.T, w *World) {
	ctx, s := t.Context(), w.CloudAccess()
	changed := func() audit.Event { return w.event(audit.CloudAccessChanged) }
	first := cloudaccess.Access{Organization: w.org, Cloud: cloudaccess.AWS, CreatedAt: w.now, UpdatedAt: w.now,
		Settings: cloudaccess.Settings{RoleARN: "arn:aws:iam::123456789012:role/gatehouse", Region: "eu-central-1", Hours: 4}}
	must(t, s.Set(ctx, first, changed()))
	second := cloudaccess.Access{Organization: w.org, Cloud: cloudaccess.Google, CreatedAt: w.now, UpdatedAt: w.now, Settings: cloudaccess.Settings{Project: "p", ProjectNumber: "1"}}
	must(t, s.Set(ctx, second, changed()))

	again := first
	again.Group, again.Settings.Region = id.NewGroup(), "us-east-1"
	again.CreatedAt, again.UpdatedAt = w.now.Add(time.Hour), w.now.Add(time.Hour)
	must(t, s.Set(ctx, again, changed()))
	again.CreatedAt = first.CreatedAt
	same(t, "what is set up", done(s.Accesses(ctx, w.org)), []cloudaccess.Access{again, second})

	elsewhere := id.NewOrganization()
	if got := done(s.Accesses(ctx, elsewhere)); len(got) != 0 {
		t.Errorf("another organization has %+v", got)
	}
	kind(t, "removing a foreign one", s.Remove(ctx, elsewhere, cloudaccess.AWS, w.event(audit.CloudAccessRemoved)), fault.NotFound)
	must(t, s.Remove(ctx, w.org, cloudaccess.AWS, w.event(audit.CloudAccessRemoved)))
	kind(t, "removing one twice", s.Remove(ctx, w.org, cloudaccess.AWS, w.event(audit.CloudAccessRemoved)), fault.NotFound)
	same(t, "what is left", done(s.Accesses(ctx, w.org)), []cloudaccess.Access{second})
	must(t, s.Record(ctx, w.event(audit.CloudTokenIssued)))
	verify(t, w)
}
