package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// startPatience is how long a program in the background may take to be ready.
const startPatience = 10 * time.Second

// Said is what a program in the background said before it was ready, or ended.
type Said struct {
	Ready bool // it printed a line
	Text  string
}

// detach starts a program that goes on when this one has ended: in a session of
// its own, in the root folder, with nothing of ours open. It is ready when it has
// printed a line.
func detach(ctx context.Context, path string, args, env []string) (Said, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	out, outEnd, err := os.Pipe()
	if err != nil {
		return Said{}, fmt.Errorf("making a pipe: %w", err)
	}
	defer out.Close()
	said, saidEnd, err := os.Pipe()
	if err != nil {
		_ = outEnd.Close()
		return Said{}, fmt.Errorf("making a pipe: %w", err)
	}
	defer said.Close()
	cmd := exec.Cmd{Path: path, Args: args, Env: env, Dir: string(os.PathSeparator), Stdout: outEnd, Stderr: saidEnd, SysProcAttr: apart()}
	err = cmd.Start()
	_, _ = outEnd.Close(), saidEnd.Close()
	if err != nil {
		return Said{}, fmt.Errorf("starting %s: %w", path, err)
	}
	defer context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Unix(1, 0)) })()
	if line, err := bufio.NewReader(io.LimitReader(out, maxOutput)).ReadString('\n'); err == nil {
		_ = cmd.Process.Release()
		return Said{Ready: true, Text: line}, nil
	}
	if ctx.Err() != nil { // it hangs
		_ = cmd.Process.Kill()
	}
	var text bytes.Buffer
	_, _ = io.Copy(&text, io.LimitReader(said, maxOutput))
	_ = cmd.Wait()
	return Said{Text: text.String()}, nil
}
