package subprocess

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// The line goes to cmd.exe as it stands: quoting it by Go's rules would change it.
func shell(ctx context.Context, line string) *exec.Cmd {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		system = `C:\Windows\System32`
	}
	interpreter := filepath.Join(system, "cmd.exe")
	cmd := exec.CommandContext(ctx, interpreter)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `"` + interpreter + `" /d /s /c "` + line + `"`}
	return cmd
}

// start puts the program into a job, which is ended whole. It has no window.
func start(cmd *exec.Cmd) (release func(), err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags = windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateJobObject", err)
	}
	cmd.Cancel = func() error {
		_ = windows.TerminateJobObject(job, 1)
		return cmd.Process.Kill()
	}
	if err := cmd.Start(); err != nil {
		_ = windows.CloseHandle(job)
		return nil, err
	}
	assign(job, cmd.Process.Pid)
	return func() { _ = windows.CloseHandle(job) }, nil
}

// A program that could not be put into the job is still ended itself.
func assign(job windows.Handle, pid int) {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return
	}
	_ = windows.AssignProcessToJobObject(job, process)
	_ = windows.CloseHandle(process)
}
