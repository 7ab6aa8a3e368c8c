// Package transport makes HTTP clients.
package transport
