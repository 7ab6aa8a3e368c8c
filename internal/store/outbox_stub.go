package store

import "github.com/gatehouse-dev/gatehouse/internal/letter"

// queueLetters stands in for the outbox.
func (db *DB) queueLetters(tx, ...letter.Letter) error { return nil }
