package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatehouse-dev/gatehouse/client"
)

// desk is a source of one's own.
type desk struct{}

func (desk) Token(context.Context) (client.Token, error) {
	return client.NewToken("from-the-desk", time.Now().Add(time.Hour)), nil
}

// A program asks its organization's server. With &client.Command{} in the place
// of the desk it does so as whoever is signed in with "gatehouse login".
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"))
	}))
	defer server.Close()

	transport, err := client.New(server.URL, desk{})
	if err != nil {
		fmt.Println(err)
		return
	}
	web := &http.Client{Transport: transport}
	defer web.CloseIdleConnections()
	answer, err := web.Get(server.URL + "/v1/models")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	fmt.Println(string(text), err)

	_, err = web.Get("https://elsewhere.example.com/")
	fmt.Println(err)
	// Output:
	// Bearer from-the-desk <nil>
	// Get "https://elsewhere.example.com/": the request is for another origin than the Gatehouse server: elsewhere.example.com:443
}
