package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

// Whoever can write to the database can put an old state of it back, with the
// head that was signed then. So each node keeps the last head it saw in its own
// data folder, and replaces it only by one that is proven to continue it.

const (
	headLimit   = 4 << 10 // bytes; a head has about 200
	keepEvery   = time.Second
	keepTimeout = 3 * time.Second
)

func (s *Server) headFile() string { return filepath.Join(s.cfg.DataDir, "record.head") }

// keepHeads keeps the head until the context ends, and once more then.
func (s *Server) keepHeads(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	k := headKeeper{server: s}
	for ctx.Err() == nil {
		k.keep(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	k.keep(ctx)
}

// headKeeper remembers what was kept last, so that a quiet server writes nothing.
type headKeeper struct {
	server  *Server
	signed  string
	failing bool
}

func (k *headKeeper) keep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	k.report(k.follow(ctx))
}

func (k *headKeeper) follow(ctx context.Context) error {
	s := k.server
	_, signed, err := s.db.Activities().Head(ctx)
	if err != nil || signed == k.signed {
		return err
	}
	kept, err := s.keptHead() // read again each time: another node may share the folder
	if err != nil {
		return err
	}
	head, err := audit.OpenHead(signed, s.secrets.LogVerifier)
	if err != nil {
		return err
	}
	if kept != nil {
		if err := audit.Extends(head, kept.tree, s.db.Activities().Hashes(ctx)); err != nil {
			return fmt.Errorf("compared with the head kept in %s: %w", kept.File, err)
		}
	}
	if err := atomicfile.Replace(s.headFile(), []byte(signed), atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return fmt.Errorf("keeping the head of the record: %w", err)
	}
	k.signed = signed
	return nil
}

// report tells the first of a row of failures. One that names an entry is no
// fault of the database's: somebody changed the record.
func (k *headKeeper) report(err error) {
	log := k.server.cfg.Log
	broken, _ := errors.AsType[*audit.BrokenError](err)
	if (broken != nil || errors.Is(err, errOther)) && !k.failing {
		log.Error("the record of activity was rewritten, or another or older database was put in its place; the kept head stays; see: gatehoused verify",
			"error", err)
	} else if err != nil && !k.failing {
		log.Warn("the head of the record cannot be kept in the data folder just now", "error", err)
	}
	k.failing = err != nil
}

var errOther = errors.New("is no head of this record: it belongs to another database, or the record was replaced")

// keptHead returns the head in the data folder, nil if there is none yet.
func (s *Server) keptHead() (*KeptHead, error) {
	file := s.headFile()
	text, err := atomicfile.ReadPrivate(file, headLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kept head: %w", err)
	}
	return s.openKept(file, text)
}

func readHead(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading a kept head: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, headLimit+1))
	if err == nil && len(text) > headLimit {
		err = errors.New("it is too large for a head")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kept head %s: %w", file, err)
	}
	return text, nil
}

// openKept forgives what copying by hand does to line ends.
func (s *Server) openKept(file string, text []byte) (*KeptHead, error) {
	text = append(bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), '\n')
	tree, err := audit.OpenHead(string(text), s.secrets.LogVerifier)
	if err != nil {
		return nil, fmt.Errorf("%s %w: %w", file, errOther, err)
	}
	return &KeptHead{File: file, Entries: tree.N, tree: tree}, nil
}
