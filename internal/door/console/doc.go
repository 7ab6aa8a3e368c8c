// Package console serves the pages that people see: sign-in, the device code,
// the consent of an authorization, and the console behind them.
//
// Pages are made on the server with html/template and work without JavaScript;
// the one small script only makes them nicer. Every page carries a
// Content-Security-Policy that allows nothing from elsewhere and nothing inline.
// A form is protected by http.CrossOriginProtection and by a SameSite cookie, so
// forms need no token of their own and a script can drive them.
//
// A request becomes a visit, which is filled in once (who is it? in which
// organization?) and handed to one handler. A handler returns an error, or has
// answered. What a visitor may do is decided by the rooms, with the caller that
// a visit carries; this package only leaves out what they would be refused.
//
// It must never act on a GET (a page that asks a browser for a passkey notes what
// it asked, and no more), follow a "next" off this server, show a credential
// a second time, or write one to a log or a URL of its own making (a one-time
// link is shown to the person who asked for it, and nowhere else).
package console
