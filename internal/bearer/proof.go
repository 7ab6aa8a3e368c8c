package bearer

import "time"

// settling is how long an acceptance may take to be stored. A node that has not heard
// yet that a credential ended may let it in after another has refused it.
const settling = time.Minute

// Proven reports whether it is known for good when a credential was first refused, of
// which that and the last acceptance are stored so far; zero: there was none. As long
// as it is not, each refusal is worth telling.
func Proven(refused, accepted, now time.Time) bool {
	return !refused.IsZero() && !refused.Before(accepted) && now.Sub(refused) >= settling
}
