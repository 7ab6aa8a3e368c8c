//go:build unix

package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gofrs/flock"
)

const (
	// maxConnections bounds those of one socket; more wait in the kernel's queue.
	maxConnections = 256
	// requestPatience is how long a request may take, renewing included.
	requestPatience = 35 * time.Second
	// linePatience is how long a line may take to be read or written.
	linePatience = 5 * time.Second
	// lookRound is how often an agent looks whether its time is over.
	lookRound = time.Minute
)

// Server is an agent. Keeper, Dir and Idle are required. It must not be copied
// after first use, and runs once.
type Server struct {
	Keeper *Keeper
	// Dir is the folder of the sockets, of this user and mode 0700. It is made.
	Dir string
	// Home is the configuration that the agent serves, as HomeOf.
	Home string
	// Idle ends the agent when nobody has asked for anything for so long.
	Idle time.Duration
	// Screen says in the status that the agent is locked with the screen.
	Screen bool

	mu     sync.Mutex
	began  time.Time
	asked  time.Time
	main   *listener
	shared map[credential.Profile]*listener
	stop   context.CancelFunc
	served sync.WaitGroup
}

// ErrRuns says that another agent has the folder.
var ErrRuns = errors.New("an agent runs already")

// Run serves until ctx ends, somebody asks it to stop, nobody asks for anything,
// or its socket is gone. ready is called when it answers. It fails with ErrRuns
// if another agent lives.
func (s *Server) Run(ctx context.Context, ready func(socket string)) error {
	if err := privateFolder(s.Dir); err != nil {
		return err
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.began, s.asked = s.Keeper.Now(), s.Keeper.Now()
	if s.main, err = listen(SocketIn(s.Dir)); err != nil {
		return err
	}
	s.accept(ctx, s.main, "")
	s.shareAgain(ctx)
	defer s.close()
	ready(SocketIn(s.Dir))
	s.untilOver(ctx)
	return nil
}

// lock takes the folder, or finds that an agent answers. One that is about to
// answer, or about to end, is waited for.
func (s *Server) lock(ctx context.Context) (release func(), err error) {
	const step, most = 20 * time.Millisecond, 5 * time.Second
	lock := flock.New(filepath.Join(s.Dir, lockName), flock.SetPermissions(atomicfile.SecretFile))
	for range most / step {
		held, err := lock.TryLock()
		switch {
		case err != nil:
			return nil, fmt.Errorf("locking the agent's folder: %w", err)
		case held:
			return func() { _ = lock.Unlock() }, nil
		}
		if _, err := Ask(ctx, SocketIn(s.Dir), false, Request{Verb: VerbStatus}); err == nil {
			return nil, ErrRuns
		}
		if err := s.Keeper.Wait(ctx, step); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Unavailable, "another agent has %s and does not answer", s.Dir).WithHint("gatehouse agent stop")
}

// close ends what listens, lets those who wait have their answer, and forgets.
func (s *Server) close() {
	s.stop()
	s.hush()
	s.served.Wait()
	s.Keeper.Lock()
}

// hush closes the sockets, which removes their files.
func (s *Server) hush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.main.Close()
	for _, l := range s.shared {
		_ = l.Close()
	}
}

func (s *Server) untilOver(ctx context.Context) {
	for s.main.there() {
		left := s.ends().Sub(s.Keeper.Now())
		if left <= 0 || s.Keeper.Wait(ctx, min(left, lookRound)) != nil {
			return
		}
	}
}

func (s *Server) ends() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked.Add(s.Idle)
}

// share opens the shared socket of a profile. Its folder stays when the agent
// ends: a container that has it mounted finds the next agent there.
func (s *Server) share(ctx context.Context, profile credential.Profile) (string, error) {
	profile = credential.Profile(profile.String())
	path := SocketIn(SharedIn(s.Dir, profile))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared[profile] != nil {
		return path, nil
	}
	if len(s.shared) >= maxHeld {
		return "", fault.New(fault.Unavailable, "the agent shares %d profiles already", maxHeld).WithHint("gatehouse agent stop")
	}
	for _, dir := range []string{filepath.Join(s.Dir, sharedName), SharedIn(s.Dir, profile)} {
		if err := privateFolder(dir); err != nil {
			return "", err
		}
	}
	l, err := listen(path)
	if err != nil {
		return "", err
	}
	if s.shared == nil {
		s.shared = map[credential.Profile]*listener{}
	}
	s.shared[profile] = l
	s.accept(ctx, l, profile)
	return path, nil
}

// shareAgain opens what the agent before had shared. What cannot be opened is
// opened, and complained about, when somebody asks for it.
func (s *Server) shareAgain(ctx context.Context) {
	found, _ := os.ReadDir(filepath.Join(s.Dir, sharedName))
	for _, f := range found {
		if profile, err := credential.ParseProfile(f.Name()); err == nil && f.IsDir() {
			_, _ = s.share(ctx, profile)
		}
	}
}

// accept serves a socket in the background; only is the profile of a shared one.
func (s *Server) accept(ctx context.Context, l *listener, only credential.Profile) {
	room := make(chan struct{}, maxConnections)
	s.served.Go(func() {
		for {
			room <- struct{}{}
			conn, err := l.AcceptUnix()
			if err != nil {
				<-room
				if ctx.Err() != nil || errors.Is(err, net.ErrClosed) || s.Keeper.Wait(ctx, time.Second) != nil {
					return
				}
				continue // too many open files, perhaps: those end
			}
			s.served.Go(func() {
				defer func() { <-room }()
				defer conn.Close()
				s.serve(ctx, conn, only)
			})
		}
	})
}

func (s *Server) serve(ctx context.Context, conn *net.UnixConn, only credential.Profile) {
	_ = conn.SetDeadline(time.Now().Add(linePatience))
	request, err := s.read(conn, only)
	if errors.Is(err, errNothing) {
		return
	}
	a := Answer{Err: err}
	if err == nil {
		s.mu.Lock()
		s.asked = s.Keeper.Now()
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(ctx, requestPatience)
		defer cancel()
		a = s.answer(ctx, request, only)
	}
	_ = conn.SetDeadline(time.Now().Add(linePatience))
	if err := writeAnswer(conn, a); err != nil {
		return // whoever asked has gone; a stop is asked for again
	}
	if err == nil && request.Verb == VerbStop && a.Err == nil {
		s.stop()
	}
}

func (s *Server) read(conn *net.UnixConn, only credential.Profile) (Request, error) {
	uid, err := peer(conn)
	if err != nil {
		return Request{}, err
	}
	if uid != os.Geteuid() && !(only != "" && uid == 0) {
		return Request{}, fault.New(fault.Denied, "this agent is another user's").WithHint("gatehouse login")
	}
	return readRequest(conn)
}

func (s *Server) answer(ctx context.Context, r Request, only credential.Profile) Answer {
	if only != "" {
		if r.Profile == "" {
			r.Profile = only
		}
		if r.Verb != VerbToken && r.Verb != VerbStatus {
			return Answer{Err: fault.New(fault.Denied, "a shared socket of the agent gives tokens and nothing else").WithHint("gatehouse agent status")}
		}
		if r.Profile != only {
			return Answer{Err: fault.New(fault.Denied, "this socket of the agent is for the profile %s alone", only).WithHint("gatehouse token --profile " + only.String())}
		}
	}
	switch r.Verb {
	case VerbToken:
		return s.token(ctx, r)
	case VerbStatus:
		return Answer{Status: s.status(only)}
	case VerbShare:
		path, err := s.share(ctx, r.Profile)
		return Answer{Path: path, Err: err}
	case VerbLock:
		s.Keeper.Lock()
		return Answer{Status: s.status(only)}
	case VerbUnlock:
		if err := s.Keeper.Unlock(ctx, r.Profile, r.Passphrase); err != nil {
			return Answer{Err: err}
		}
		return Answer{Status: s.status(only)}
	case VerbStop:
		s.hush() // before the answer: whoever asks next starts another one
		return Answer{Status: s.status(only)}
	}
	return Answer{Err: fault.New(fault.Unsupported, "the agent does not know what it is asked for").WithHint("gatehouse agent stop")}
}

func (s *Server) token(ctx context.Context, r Request) Answer {
	if r.Home != "" && r.Home != s.Home {
		return Answer{Err: ErrElsewhere}
	}
	t, err := s.Keeper.Token(ctx, r.Profile, r.Refused)
	if err == nil && r.Server != "" && r.Server != t.Server {
		err = fault.New(fault.Conflict, "the agent's sign-in is at %s, and not at %s", t.Server, oneLine(r.Server)).WithHint("unset GATEHOUSE_SERVER")
	}
	if err != nil {
		return Answer{Err: err}
	}
	return Answer{Token: &t}
}

func (s *Server) status(only credential.Profile) *Status {
	status := &Status{Locked: s.Keeper.Locked(), Held: s.Keeper.Held(), Shared: []string{}}
	if only != "" {
		status.Held = slices.DeleteFunc(status.Held, func(p ProfileStatus) bool { return p.Profile != only.String() })
		return status
	}
	status.Process, status.Since, status.Ends, status.Screen, status.Home = os.Getpid(), s.began.UTC(), s.ends().UTC(), s.Screen, s.Home
	s.mu.Lock()
	defer s.mu.Unlock()
	for profile := range s.shared {
		status.Shared = append(status.Shared, profile.String())
	}
	slices.Sort(status.Shared)
	return status
}
