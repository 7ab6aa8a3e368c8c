package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/mail"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// passwordLimit is more than any password has.
const passwordLimit = 4 << 10

// mailConfig is the part of the file about mail. Errors name the key at fault.
func mailConfig(f file) (mail.Config, error) {
	cfg := mail.Config{Host: f.Mail.Host, Security: mail.Security(f.Mail.Security), Username: f.Mail.Username, Password: secret.New(f.Mail.Password),
		From: f.Mail.From, FromName: f.Mail.FromName, Helo: f.Mail.Helo}
	if f.Mail.Port != "" {
		port, err := strconv.Atoi(f.Mail.Port)
		if err != nil || port < 1 || port > 65535 {
			return cfg, fmt.Errorf("mail.port: %q is not a port", f.Mail.Port)
		}
		cfg.Port = port
	}
	if f.Mail.PasswordFile != "" {
		if f.Mail.Password != "" {
			return cfg, fmt.Errorf("mail.password_file: mail.password is given too; keep one of them")
		}
		password, err := readPassword(f.Mail.PasswordFile)
		if err != nil {
			return cfg, fmt.Errorf("mail.password_file: %w", err)
		}
		cfg.Password = password
	}
	return cfg, cfg.Check()
}

// readPassword reads a file without the line end that editors add.
func readPassword(name string) (secret.Text, error) {
	file, err := os.Open(name)
	if err != nil {
		return secret.Text{}, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, passwordLimit+1))
	switch text := strings.TrimRight(string(raw), "\r\n"); {
	case err != nil:
		return secret.Text{}, err
	case text == "":
		return secret.Text{}, fmt.Errorf("%s is empty", name)
	case len(raw) > passwordLimit:
		return secret.Text{}, fmt.Errorf("%s is too large for a password", name)
	default:
		return secret.New(text), nil
	}
}
