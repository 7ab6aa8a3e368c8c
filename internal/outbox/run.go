package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

const (
	batchSize  = 10
	batchFor   = 2 * time.Minute // how long a node may take over a batch
	endFor     = 5 * time.Second // how long a letter may take when the server is to stop
	settleFor  = 10 * time.Second
	lease      = 5 * time.Minute // how long a claim holds: longer than a batch may take
	firstDelay = time.Minute     // after a letter's first failure, doubled from then on
	maxDelay   = 4 * time.Hour
	giveUp     = 3 * 24 * time.Hour // after the first attempt
	firstPause = 15 * time.Second   // while the server is out of reach, doubled too
	maxPause   = 10 * time.Minute
	maxReason  = 200
	quoted     = 16 // a word as long as this that is in the letter as well may be of its link
)

// Job sends what is due. Its fields must be set before Run; Watcher may be nil.
type Job struct {
	Store   Store
	Sender  Sender
	Now     func() time.Time
	Log     *slog.Logger
	Watcher Watcher
	Poll    time.Duration // how often to look without being woken; 0: every 5 seconds
	Lines   int           // conversations at once; 0: 2

	once   sync.Once
	wake   chan struct{}
	mu     sync.Mutex
	resume time.Time     // when the server is tried again
	pause  time.Duration // the last one
}

func (j *Job) woken() chan struct{} {
	j.once.Do(func() { j.wake = make(chan struct{}, 1) })
	return j.wake
}

// Wake makes the job look at once. It never blocks.
func (j *Job) Wake() {
	select {
	case j.woken() <- struct{}{}:
	default:
	}
}

// Run sends until the context ends. A letter that is being sent then has a few
// seconds to be finished.
func (j *Job) Run(ctx context.Context) {
	poll := j.Poll
	if poll == 0 {
		poll = 5 * time.Second
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		j.drain(ctx)
		select {
		case <-ctx.Done():
			return
		case <-j.woken():
		case <-tick.C:
		}
	}
}

// drain sends until nothing is due, over several lines.
func (j *Job) drain(ctx context.Context) {
	lines := j.Lines
	if lines == 0 {
		lines = 2
	}
	var running sync.WaitGroup
	for range lines {
		running.Go(func() {
			for ctx.Err() == nil {
				n, err := j.Batch(ctx)
				if err != nil && ctx.Err() == nil {
					j.Log.Error("letters cannot be claimed or settled just now", "error", err)
				}
				if n < batchSize || err != nil {
					return
				}
			}
		})
	}
	running.Wait()
}

// Batch claims what is due, up to a small number, sends it over one connection
// and returns how many there were.
func (j *Job) Batch(ctx context.Context) (int, error) {
	if j.paused() {
		return 0, nil
	}
	now := j.Now()
	letters, err := j.Store.Claim(ctx, now, now.Add(lease), batchSize)
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	b := batch{job: j, end: ctx}
	defer b.close()
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchFor)
	defer cancel()
	// A letter under way when the end comes has a little time to be finished.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(endFor, cancel) })()
	for _, l := range letters {
		if err := j.settle(ctx, l, b.send(sending, l)); err != nil {
			return len(letters), err // the claim runs out, and somebody sends it again
		}
	}
	if b.down == "" {
		j.reached()
	}
	return len(letters), nil
}

func (j *Job) paused() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Now().Before(j.resume)
}

// unreachable begins a pause, longer than the last, and says until when.
func (j *Job) unreachable(reason string) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if now := j.Now(); !now.Before(j.resume) { // another line may have found out too
		j.pause = min(max(j.pause*2, firstPause), maxPause)
		j.resume = now.Add(j.pause)
		j.Log.Warn("the mail server takes no letters just now; they are kept and sent later", "reason", reason, "again_in", j.pause)
	}
	return j.resume
}

func (j *Job) reached() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pause > 0 {
		j.Log.Info("the mail server takes letters again")
	}
	j.pause, j.resume = 0, time.Time{}
}

// batch is one conversation with the server.
type batch struct {
	job  *Job
	end  context.Context // done when no further letter is to be sent
	line Conversation
	down string // why the server is left alone from here on
}

func (b *batch) close() {
	if b.line != nil {
		_ = b.line.Close() // every letter has been answered for
	}
}

func (b *batch) send(ctx context.Context, l Letter) Outcome {
	now := b.job.Now()
	o := Outcome{ID: l.ID, Attempt: l.Attempts, At: now}
	switch {
	case !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt):
		o.Status = Expired
	case l.Unreadable != nil:
		b.job.Log.Error("a letter's content does not open", "message", l.ID, "error", l.Unreadable)
		o.Status, o.LastError = Failed, "its content cannot be read"
	case b.end.Err() != nil: // others may have it at once
		o.Status, o.NextAt, o.Uncounted = Queued, now, true
	case b.down != "":
		o = b.job.later(l, o, b.down)
	default:
		o = b.try(ctx, l, o)
	}
	return o
}

func (b *batch) try(ctx context.Context, l Letter, o Outcome) Outcome {
	if b.line == nil {
		line, err := b.job.Sender.Connect(ctx)
		if err != nil {
			b.down = clean(err.Error(), l)
			return b.job.later(l, o, b.down)
		}
		b.line = line
	}
	err := b.line.Send(ctx, l)
	if err == nil {
		o.Status = Sent
		return o
	}
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = &Refusal{Reason: err.Error(), Broken: true}
	}
	o.LastError = clean(refusal.Reason, l)
	if refusal.Server {
		b.down = o.LastError
		return b.job.later(l, o, b.down)
	}
	if refusal.Broken { // by this letter, perhaps: the next has a connection of its own
		b.close()
		b.line = nil
	}
	return b.job.again(l, o, refusal.Permanent)
}

// later is the outcome of a letter that the server was not ready for.
func (j *Job) later(l Letter, o Outcome, reason string) Outcome {
	o.LastError = reason
	resume := j.unreachable(reason)
	if o.At.Sub(l.TriedAt) >= giveUp {
		o.Status = Failed
		return o
	}
	o.Status, o.NextAt, o.Uncounted = Queued, resume, true
	return o
}

// again is the outcome of a letter that was refused.
func (j *Job) again(l Letter, o Outcome, permanent bool) Outcome {
	if permanent || o.At.Sub(l.TriedAt) >= giveUp {
		o.Status = Failed
		return o
	}
	o.Status, o.NextAt = Queued, o.At.Add(delay(l.Attempts))
	return o
}

// delay doubles with every attempt, and varies by a quarter so that what failed
// together does not come back together.
func delay(attempts int) time.Duration {
	d := maxDelay
	if attempts <= 8 { // 2^8 minutes are more than the limit
		d = min(firstDelay<<max(attempts-1, 0), maxDelay)
	}
	return d - time.Duration(rand.Int64N(int64(d)/4))
}

// settle notes what came of a letter, also at the end: what was sent is not to
// be sent again.
func (j *Job) settle(ctx context.Context, l Letter, o Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	var events []audit.Event
	if o.Status == Failed {
		events = append(events, audit.New(caller.OfSystem(l.Organization), o.At, audit.MailFailed, string(l.ID), audit.Detail{
			"to": l.To, "kind": string(l.Kind), "about": l.About, "reason": o.LastError}))
		j.Log.Warn("a letter could not be delivered", "message", l.ID, "kind", l.Kind, "reason", o.LastError)
	}
	if j.Watcher != nil {
		j.Watcher.Sent(o.Status)
	}
	return j.Store.Settle(ctx, []Outcome{o}, events...)
}

// clean is a server's words made fit to be kept and shown. Servers quote what
// they did not like, so whatever may be a link of the letter is taken out.
func clean(reason string, l Letter) string {
	text := l.Text.Reveal()
	words := strings.FieldsFunc(strings.ToValidUTF8(reason, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.C) })
	for i, word := range words {
		bare := strings.Trim(word, `<>()[]{}"'.,;:!?`)
		if strings.Contains(word, "sk-gate-") || (len(bare) >= quoted && strings.Contains(text, bare)) {
			words[i] = "[left out]"
		}
	}
	reason = strings.Join(words, " ")
	if runes := []rune(reason); len(runes) > maxReason {
		reason = string(runes[:maxReason-1]) + "…"
	}
	return reason
}
