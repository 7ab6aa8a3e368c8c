package limit

// Return gives back a try of a name that turned out not to count.
func (l *Limiter) Return(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[name]; b != nil {
		b.tokens = min(l.burst, b.tokens+1)
	}
}
