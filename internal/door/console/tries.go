package console

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
)

const (
	wrongCodes = 10
	codesPer   = 10 * time.Minute
)

// tries bounds wrong user codes by network address.
type tries struct{ *limit.Tries }

func newTries(now func() time.Time) *tries {
	return &tries{limit.NewTries(wrongCodes, codesPer, now)}
}

// take fails with RateLimited if the address has no try left.
func (t *tries) take(address string) error {
	if ok, wait := t.Take(limit.Network(address)); !ok {
		return fault.New(fault.RateLimited, "too many wrong codes came from your network address").At("user_code").
			After(wait).WithHint("wait a few minutes and begin again on the device")
	}
	return nil
}

// giveBack returns a try that found something.
func (t *tries) giveBack(address string) { t.GiveBack(limit.Network(address)) }
