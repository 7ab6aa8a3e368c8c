package usage

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRealFullDisk fills a file system of 300 KB, where this process may mount
// one; TestFullDisk does the same to one that is made up.
func TestRealFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=300k"); err != nil {
		t.Logf("not tried here, as a file system cannot be mounted: %v", err)
		return
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	store := newMemory()
	c := small(dir+"/ledger", store)
	c.SegmentBytes = 32 << 10
	l := start(t, c)
	held := fillUp(t, l)
	rest, err := os.Create(dir + "/rest") // and not a byte is left
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = rest.Write(make([]byte, 512))
	}
	for i, h := range held {
		settle(t, h, outcome(int64(i)))
	}
	flush(t, l)
	if got := len(store.settled()); got != len(held) || got < 20 {
		t.Errorf("%d of %d are settled", got, len(held))
	}
	if err := os.Remove(rest.Name()); err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		settle(t, reserve(t, l, request(1_000_000+n)), outcome(1))
	}
	flush(t, l)
	if got := len(store.settled()); got != len(held)+200 || l.Lag().Damaged != 0 {
		t.Errorf("%d of %d are settled, %+v", got, len(held)+200, l.Lag())
	}
}
