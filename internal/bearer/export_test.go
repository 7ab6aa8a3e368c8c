package bearer

// Still is what a request does that found a grant before it was taken back.
func (k *Keeper) Still(g *Grant) (*Grant, error) { return k.still(g) }
