package binding

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	maxConfig  = 1 << 20
	maxPointer = 8 << 10
	maxRemotes = 200
	maxDepth   = 256
)

// Remotes returns the addresses of the remotes of the repository that a folder is
// in, as its configuration writes them; none outside of a repository. Worktrees
// and submodules are found by their ".git" files. The environment of git, and
// rewriting with insteadOf, count for nothing.
func Remotes(folder string) ([]string, error) {
	git, err := findGit(folder)
	if err != nil || git == "" {
		return nil, err
	}
	common := git
	if pointer, err := readSmall(filepath.Join(git, "commondir"), maxPointer); err == nil {
		if common, err = follow(git, strings.TrimSpace(string(pointer))); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	text, err := readSmall(filepath.Join(common, "config"), maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseConfig(string(text))
}

// findGit goes up to the folder with the repository's files.
func findGit(folder string) (string, error) {
	for range maxDepth {
		path := filepath.Join(folder, ".git")
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return path, nil
		case err == nil:
			pointer, err := readSmall(path, maxPointer)
			if err != nil {
				return "", err
			}
			to, ok := strings.CutPrefix(string(pointer), "gitdir:")
			if !ok {
				return "", fmt.Errorf("%s is no pointer to a repository", path)
			}
			return follow(folder, strings.TrimSpace(to))
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return "", err
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", nil
		}
		folder = above
	}
	return "", errors.New("the folder is too deep")
}

// follow joins a pointer of a repository to the folder that it stands in. A path
// on the network is not opened: Windows would sign in there.
func follow(from, to string) (string, error) {
	if to == "" || strings.ContainsRune(to, 0) || strings.ContainsAny(to, "\r\n") || strings.HasPrefix(to, `\`) || strings.HasPrefix(to, "//") {
		return "", errors.New("the repository points to a place that is not opened")
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(from, to)
	}
	return filepath.Clean(to), nil
}

// readSmall reads a regular file of at most limit bytes. It does not wait for a
// pipe that stands in its place.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is no file of a repository", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is no file of a repository", path)
	}
	return b, err
}

// parseConfig finds remote.*.url and remote.*.pushurl in the format of git's
// configuration ("Syntax" in git-config(1)). Nothing else of it counts, and no
// include is followed.
func parseConfig(text string) ([]string, error) {
	var found []string
	remote := false
	lines := configLines{text: strings.TrimPrefix(text, "\ufeff")}
	for {
		line, ok := lines.next()
		if !ok {
			return found, nil
		}
		line = strings.TrimLeft(line, " \t\r")
		if strings.HasPrefix(line, "[") {
			head, rest, err := section(line)
			if err != nil {
				return nil, err
			}
			remote = head == "remote"
			line = strings.TrimLeft(rest, " \t\r")
		}
		if line == "" || line[0] == '#' || line[0] == ';' || !remote {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "url" && name != "pushurl" {
			continue
		}
		address, err := configValue(value)
		if err != nil {
			return nil, err
		}
		if found = append(found, address); len(found) > maxRemotes {
			return nil, errors.New("the repository has too many remotes")
		}
	}
}

// configLines are the lines of a configuration, those that go on with a
// backslash at the end put together.
type configLines struct{ text string }

func (l *configLines) next() (string, bool) {
	if l.text == "" {
		return "", false
	}
	var whole strings.Builder
	for {
		line, rest, more := strings.Cut(l.text, "\n")
		l.text = rest
		line = strings.TrimSuffix(line, "\r")
		if cut, goesOn := strings.CutSuffix(line, `\`); goesOn && more && !oddBackslashes(cut) {
			whole.WriteString(cut)
			continue
		}
		whole.WriteString(line)
		return whole.String(), true
	}
}

// oddBackslashes reports whether the backslash that follows is escaped by one
// before it.
func oddBackslashes(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// section reads [name], [name "sub"] or [name.sub], and returns the name in small
// letters and what follows on the line.
func section(line string) (name, rest string, err error) {
	bad := errors.New("the configuration of the repository is damaged")
	i := 1
	for i < len(line) && line[i] != ']' && line[i] != '"' && line[i] != ' ' && line[i] != '\t' {
		i++
	}
	name = line[1:i]
	i += len(line[i:]) - len(strings.TrimLeft(line[i:], " \t"))
	if i < len(line) && line[i] == '"' {
		for i++; i < len(line) && line[i] != '"'; i++ {
			if line[i] == '\\' {
				i++
			}
		}
		i++
	}
	if i >= len(line) || line[i] != ']' {
		return "", "", bad
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name, line[i+1:], nil
}

// configValue reads a value: quotes, escapes, and a comment after it.
func configValue(s string) (string, error) {
	var out strings.Builder
	quoted, blanks := false, 0
	s = strings.TrimLeft(s, " \t")
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case (c == '#' || c == ';') && !quoted:
			i = len(s)
			continue
		case (c == ' ' || c == '\t') && !quoted: // those at the end do not count
			blanks++
			continue
		case c == '\\':
			i++
			if i >= len(s) {
				return "", errors.New("an address of a remote is damaged")
			}
			switch s[i] {
			case '\\', '"':
				c = s[i]
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			default:
				return "", errors.New("an address of a remote is damaged")
			}
		}
		out.WriteString(strings.Repeat(" ", blanks))
		blanks = 0
		out.WriteByte(c)
	}
	if quoted {
		return "", errors.New("an address of a remote is damaged")
	}
	return out.String(), nil
}
