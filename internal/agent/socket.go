package agent

import (
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
)

// Names below an agent's folder.
const (
	socketName = "agent.sock"
	lockName   = "agent.lock"
	sharedName = "shared"
)

// SocketIn is the socket of the agent whose folder is dir.
func SocketIn(dir string) string { return filepath.Join(dir, socketName) }

// SharedIn is the folder of a profile's shared socket: what is mounted.
func SharedIn(dir string, profile credential.Profile) string {
	return filepath.Join(dir, sharedName, profile.String())
}
