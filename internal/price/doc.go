// Package price says what a model request costs: a dated book of list prices
// and integer arithmetic over it.
//
// Prices change and models retire, so every price has the day from which it
// holds, and a request is priced as of its own time: a statement of last month
// stays what it was. A price is written as an exact decimal of US dollars per
// million tokens, which is a whole number of nano-dollars per token; a book
// where it is not is refused. Nothing here is a floating-point number.
//
// A model that the book does not know is never free: it is priced at the
// dearest rates known and reported as not known. Being wrong that way shows up
// in a report the same day; being wrong the other way is how caps are evaded.
//
// The package has no clock, no state that changes and no input but its embedded
// book. It must never guess a discount, and never return a negative amount: a
// sum that does not fit saturates.
package price
