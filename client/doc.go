// Package client lets a program in Go speak to a Gatehouse server with the
// sign-in of whoever runs it. It holds no durable secret itself: a [Source]
// hands out short-lived access tokens, and a [Transport] puts them on requests.
//
//	transport, err := client.New("https://gate.example.com", &client.Command{})
//	if err != nil {
//		return err
//	}
//	claude := anthropic.NewClient(
//		option.WithoutEnvironmentDefaults(),
//		option.WithBaseURL("https://gate.example.com"),
//		option.WithHTTPClient(&http.Client{Transport: transport}))
//
// [Command] runs "gatehouse token", which renews what has to be renewed, once
// for all programs of the machine. A program that gets its tokens elsewhere
// writes a Source of its own, which is one method.
//
// The transport must never send a token to another origin than its own, put it
// in an error or a log, or repeat a request that a server may have acted on: it
// repeats only what was refused with 401 before anything was done, and once.
package client
