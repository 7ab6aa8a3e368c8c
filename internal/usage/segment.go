package usage

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	segmentMagic   = "GHLEDGER"
	segmentVersion = 1
	segmentHeader  = 16 // magic, version:u32, flags:u32
	// flagAfterFailure says that the segment before may end in a record that was
	// cut off, as writing to it failed.
	flagAfterFailure = 1
)

// segment is one file of a journal.
type segment struct {
	number uint64
	path   string
	file   *os.File
	size   int64 // set aside for it
	used   int64 // written
	dirty  bool  // written to since the last sync began
	busy   bool  // being synced just now
}

// disk is what a journal asks of the file system. Tests make it fail.
type disk struct {
	// allocate makes a file with size zero bytes, durably: writing over them
	// needs no more room and changes nothing but data.
	allocate func(path string, header []byte, size int64) (*os.File, error)
	write    func(f *os.File, b []byte, at int64) error
	sync     func(f *os.File) error
}

func realDisk() disk {
	return disk{allocate: allocate, sync: syncData, write: func(f *os.File, b []byte, at int64) error {
		_, err := f.WriteAt(b, at)
		return err
	}}
}

func allocate(path string, header []byte, size int64) (file *os.File, err error) {
	file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(path))
		}
	}()
	if err = writeZeros(file, size); err != nil {
		return nil, err
	}
	if _, err = file.WriteAt(header, 0); err != nil {
		return nil, err
	}
	if err = file.Sync(); err != nil {
		return nil, err
	}
	return file, syncFolder(filepath.Dir(path))
}

func writeZeros(w io.Writer, size int64) error {
	zeros := make([]byte, min(size, 1<<18))
	for size > 0 {
		n, err := w.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func headerOf(flags uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(segmentMagic), segmentVersion)
	return binary.LittleEndian.AppendUint32(b, flags)
}

var (
	errForeign = errors.New("it does not begin as a segment does")
	errNewer   = errors.New("it is of a version that this program does not read")
)

// readSegment reads a segment of a dead run whole.
func readSegment(path string) (data string, flags uint32, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", 0, err
	}
	switch {
	case len(raw) < segmentHeader, string(raw[:segmentHeader]) == strings.Repeat("\x00", segmentHeader):
		if strings.Trim(string(raw), "\x00") != "" {
			return "", 0, errForeign
		}
		return "", 0, nil // it died while it made the segment
	case string(raw[:8]) != segmentMagic:
		return "", 0, errForeign
	case binary.LittleEndian.Uint32(raw[8:]) != segmentVersion:
		return "", 0, errNewer
	}
	return string(raw[segmentHeader:]), binary.LittleEndian.Uint32(raw[12:]), nil
}

// span is a range of bytes.
type span struct{ from, to int }

// frames calls yield with the payload of each frame. It returns how far it came,
// what damage it passed over, and what is left at the end that is no frame.
// With final it goes to the end of data; otherwise it stops before a frame that
// may go on beyond it.
func frames(data string, final bool, yield func(payload string)) (consumed int, damaged []span, torn span) {
	at := 0
	for at < len(data) {
		payload, size := nextFrame(data[at:])
		if size > 0 {
			yield(payload)
			at += size
			continue
		}
		if !final {
			return at, damaged, span{}
		}
		end := len(strings.TrimRight(data[at:], "\x00")) + at
		if end == at {
			break
		}
		next := resync(data, at+1)
		if next < 0 {
			return len(data), damaged, span{at, end}
		}
		damaged = append(damaged, span{at, next})
		at = next
	}
	return len(data), damaged, span{}
}

// resync finds the next frame that checks.
func resync(data string, from int) int {
	for from < len(data) {
		i := strings.IndexByte(data[from:], frameMagic&0xff)
		if i < 0 {
			return -1
		}
		from += i
		if _, size := nextFrame(data[from:]); size > 0 {
			return from
		}
		from++
	}
	return -1
}
