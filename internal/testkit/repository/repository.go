package repository

import (
	"os"
	"path/filepath"
	"testing"
)

// Root is the folder that holds go.mod. A test runs in its package's folder, so
// it is that one or above it.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Fatalf("there is no go.mod above %s", folder)
		}
	}
}
