package credential

import "time"

// Floor is the least time a token must still live to be handed out.
const Floor = 60 * time.Second

// Fresh reports whether the access token has at least half of its life left, so
// that it can be handed out without asking anybody. When the token does not say
// how long its life is, Floor is asked for instead.
func (p Pair) Fresh(now time.Time) bool {
	return p.left(now) >= p.wanted()
}

// Usable reports whether the access token has Floor left, or half of a life
// shorter than twice that: enough to hand it out when it cannot be renewed.
func (p Pair) Usable(now time.Time) bool {
	return p.left(now) >= min(p.wanted(), Floor)
}

func (p Pair) left(now time.Time) time.Duration {
	if p.Access.Empty() || p.Expires.IsZero() {
		return -1
	}
	return p.Expires.Sub(now)
}

// The life is taken from the difference of two claims, so a clock that is wrong
// on either side does not change it.
func (p Pair) wanted() time.Duration {
	claims, err := ReadClaims(p.Access)
	if err != nil || claims.Issued.IsZero() || !claims.Expires.After(claims.Issued) {
		return Floor
	}
	return claims.Expires.Sub(claims.Issued) / 2
}
