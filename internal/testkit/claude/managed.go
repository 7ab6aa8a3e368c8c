package claude

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// An /etc of its own: the managed settings lie in the upper layer before it is
// mounted, so that nothing is ever written through the path /etc. The layers
// need a file system that can carry them, which a container's own often cannot.
const overEtc = `
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$1"
mkdir -p "$1/upper" "$1/work"
cp -r "$2" "$1/upper/claude-code"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
shift 2
exec "$@"
`

// namespaces are the ways to a private mount namespace: as root, or as a user
// who may make one.
var namespaces = [][]string{{"unshare", "-m"}, {"unshare", "-m", "-r"}}

var namespace = sync.OnceValue(func() []string {
	folder, err := os.MkdirTemp("", "gatehouse-etc-")
	if err != nil {
		return nil
	}
	defer func() { _ = os.RemoveAll(folder) }()
	settings, mount := filepath.Join(folder, "settings"), filepath.Join(folder, "mount")
	for _, dir := range []string{settings, mount} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil
		}
	}
	if err := os.WriteFile(filepath.Join(settings, "managed-settings.json"), []byte("{}"), 0o600); err != nil {
		return nil
	}
	for _, way := range namespaces {
		argv := append(append([]string{}, way...), "sh", "-c", overEtc, "sh", mount, settings, "test", "-f", "/etc/claude-code/managed-settings.json")
		if exec.Command(argv[0], argv[1:]...).Run() == nil {
			return way
		}
	}
	return nil
})

// Supported reports whether managed settings can be shown to the client here.
func Supported() bool { return namespace() != nil }

// NeedManaged ends a test that needs managed settings where they cannot be
// shown: skipped on a person's machine, failed where CI is set.
func NeedManaged(t testing.TB) {
	t.Helper()
	if Supported() {
		return
	}
	const why = "managed settings need a private mount namespace: Linux, as root or where users may make namespaces"
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func (o Options) managed(t testing.TB, argv []string) []string {
	t.Helper()
	way := namespace()
	if way == nil {
		t.Fatal("managed settings cannot be shown to the client here: call NeedManaged first")
	}
	folder := Home(t)
	settings, mount := filepath.Join(folder, "settings"), filepath.Join(folder, "mount")
	write(t, filepath.Join(settings, "managed-settings.json"), o.Managed)
	for name, content := range o.DropIns {
		write(t, filepath.Join(settings, "managed-settings.d", name), content)
	}
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	all := append(append([]string{}, way...), "sh", "-c", overEtc, "sh", mount, settings)
	return append(all, argv...)
}
