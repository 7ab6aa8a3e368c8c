// Package letter writes the mails that the server sends, as text and as HTML.
//
// A room that changes something people must be told of makes a Letter and hands
// it to its store, which queues it in the transaction of the change: what was
// acknowledged is told, also after a crash. Sending is package outbox's.
//
// A letter has one purpose, one link at most, and says who sent it and why. Its
// parts are put into fixed templates; nothing that a person typed is ever
// evaluated or becomes markup.
package letter
