// Package jsonscan finds its way through JSON without decoding it.
//
// Request bodies are tens of kilobytes of prompt around three small fields. To
// decode them costs more than to relay them, and to encode them again changes
// bytes that others have signed, cached or counted. So this package walks over
// the text once: it checks the grammar (objects, arrays, literals and numbers;
// inside strings only where they end), bounds the nesting, and hands out
// sub-slices. The price is that a control character or an odd escape inside a
// string goes unnoticed; whoever decodes the text refuses it.
//
// It must never allocate on the way, recurse, or read beyond its input.
package jsonscan
