package credential

import "time"

// Floor is the least time a token must still live to be handed out.
const Floor = 60 * time.Second

// clockSlack is how much longer than its life a token may seem to live before
// the clock counts as set back.
const clockSlack = time.Minute

// Fresh reports whether the access token has at least half of its life left, so
// that it can be handed out without asking anybody. Each token of a chain wants
// up to a tenth of its life more than that, a different part for each, so that
// machines that signed in or woke up together do not renew together. A token
// that seems to live longer than it ever did is not fresh: the clock was set
// back, and nobody knows how long it lives. When the token does not say how long
// its life is, Floor is asked for instead.
func (p Pair) Fresh(now time.Time) bool {
	life, left := p.life(), p.left(now)
	return left >= p.wanted(life) && (life == 0 || left <= life+clockSlack)
}

// Due is the first moment when the access token is not fresh any more, and the
// zero time for one that never is.
func (p Pair) Due() time.Time {
	if p.Access.Empty() || p.Expires.IsZero() {
		return time.Time{}
	}
	return p.Expires.Add(1 - p.wanted(p.life()))
}

// wanted is how much of a life a fresh token has left.
func (p Pair) wanted(life time.Duration) time.Duration {
	if life == 0 {
		return Floor
	}
	return life/2 + p.spread(life/10)
}

// Usable reports whether the access token has Floor left, or half of a life
// shorter than twice that: enough to hand it out when it cannot be renewed.
func (p Pair) Usable(now time.Time) bool {
	wanted := Floor
	if life := p.life(); life > 0 {
		wanted = min(wanted, life/2)
	}
	return p.left(now) >= wanted
}

func (p Pair) left(now time.Time) time.Duration {
	if p.Access.Empty() || p.Expires.IsZero() {
		return -1
	}
	return p.Expires.Sub(now)
}

// life is how long the token lives in all; 0: it does not say. It is taken from
// the difference of two claims, so a clock that is wrong on either side does not
// change it.
func (p Pair) life() time.Duration {
	claims, err := ReadClaims(p.Access)
	if err != nil || claims.Issued.IsZero() || !claims.Expires.After(claims.Issued) {
		return 0
	}
	return claims.Expires.Sub(claims.Issued)
}

// spread is a part of most that is the same for every program that holds the
// pair.
func (p Pair) spread(most time.Duration) time.Duration {
	sum := p.Access.Hash()
	return most / 256 * time.Duration(sum[0])
}
