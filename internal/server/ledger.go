package server

import (
	"context"
	"path/filepath"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// ledger is a usage.Ledger as the gateway wants it.
type ledger struct{ *usage.Ledger }

// Reserve implements gateway.Ledger.
func (l ledger) Reserve(r usage.Request) (gateway.Hold, error) {
	h, err := l.Ledger.Reserve(r)
	if err != nil {
		return nil, err // and not a nil *Hold in an interface
	}
	return h, nil
}

func (s *Server) openLedger(context.Context) (err error) {
	s.ledger, err = usage.Open(usage.Config{Dir: filepath.Join(s.cfg.DataDir, "ledger"), Store: s.db.Ledger(), Log: s.cfg.Log, Now: s.cfg.Now})
	if err != nil {
		return err
	}
	s.metrics.gauge("gatehouse_ledger_lag_seconds", "Age of the oldest ledger record that is not in the database yet.",
		func() float64 { return s.ledger.Lag().Age.Seconds() })
	s.metrics.gauge("gatehouse_ledger_lag_bytes", "Ledger records that are not in the database yet.",
		func() float64 { return float64(s.ledger.Lag().Bytes) })
	s.metrics.gauge("gatehouse_ledger_open_reservations", "Requests that are reserved and not settled.",
		func() float64 { return float64(s.ledger.Lag().Open) })
	s.metrics.gauge("gatehouse_ledger_damaged_total", "Stretches of ledger journals that could not be read.",
		func() float64 { return float64(s.ledger.Lag().Damaged) })
	return nil
}

func (s *Server) closeLedger() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.ledger.Close(ctx)
}
