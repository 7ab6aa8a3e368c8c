package account

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	maxPasskeys = 20
	maxResponse = 32 << 10
)

// holder makes an account with its passkeys what the library asks.
type holder struct {
	person Person
	keys   []Passkey
}

func (h holder) WebAuthnID() []byte          { return []byte(h.person.Account) }
func (h holder) WebAuthnName() string        { return h.person.Email }
func (h holder) WebAuthnDisplayName() string { return h.person.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(h.keys))
	for i, k := range h.keys {
		all[i] = k.Credential
	}
	return all
}

func (h holder) key(credential []byte) (Passkey, bool) {
	at := slices.IndexFunc(h.keys, func(k Passkey) bool { return bytes.Equal(k.Credential.ID, credential) })
	if at < 0 {
		return Passkey{}, false
	}
	return h.keys[at], true
}

func (s *Service) holder(ctx context.Context, a id.Account) (holder, error) {
	p, ok, err := s.store.Person(ctx, a)
	if err != nil || !ok {
		return holder{}, orElse(err, errPasskey)
	}
	keys, err := s.store.Passkeys(ctx, a)
	return holder{p, keys}, err
}

var (
	errNoPasskeys = fault.New(fault.Unsupported, "passkeys need a server with a name, and this one is reached by a bare address").WithHint("ask the operator of the server")
	errPasskey    = fault.New(fault.Unauthenticated, "this passkey does not open an account here, or its answer came too late").WithHint("try again, or sign in in another way")
)

// HasPasskeys reports whether passkeys work at this server's address.
func (s *Service) HasPasskeys() bool { return s.passkeys != nil }

// keep stores what is to be answered, and returns it as the browser reads it.
func (s *Service) keep(ctx context.Context, token secret.Text, kind CeremonyKind, data *webauthn.SessionData, options any) (string, error) {
	data.Expires = time.Time{} // the library reads another clock than ours
	c := Ceremony{Bound: token.Hash(), Kind: kind, Data: *data, CreatedAt: s.now(), ExpiresAt: s.now().Add(StepLife)}
	raw, err := json.Marshal(options)
	if err != nil {
		return "", fmt.Errorf("encoding a passkey's options: %w", err)
	}
	return string(raw), s.store.SaveCeremony(ctx, c)
}

// Passkeys lists the caller's passkeys, the oldest first.
func (s *Service) Passkeys(ctx context.Context, who caller.Caller) ([]Passkey, error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, err
	}
	return s.store.Passkeys(ctx, who.Account)
}

// NewPasskey asks the caller's browser to make a passkey, as AddPasskey needs it.
func (s *Service) NewPasskey(ctx context.Context, who caller.Caller, token secret.Text) (options string, err error) {
	if err := access.CheckAccount(who); err != nil {
		return "", err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return "", err
	}
	if s.passkeys == nil {
		return "", errNoPasskeys
	}
	h, err := s.holder(ctx, who.Account)
	if err != nil {
		return "", err
	}
	if len(h.keys) >= maxPasskeys {
		return "", fault.New(fault.Conflict, "an account has at most %d passkeys", maxPasskeys).WithHint("remove one first")
	}
	creation, data, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return "", fmt.Errorf("beginning with a passkey: %w", err)
	}
	return s.keep(ctx, token, addsPasskey, data, creation.Response)
}

// AddPasskey keeps the passkey that the caller's browser made. It returns
// recovery codes if the caller had none.
func (s *Service) AddPasskey(ctx context.Context, who caller.Caller, token secret.Text, name, response string) ([]secret.Text, error) {
	if err := access.CheckAccount(who); err != nil {
		return nil, err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return nil, err
	}
	name, err := org.CleanName(name, "Passkey")
	if err != nil {
		return nil, err
	}
	c, err := s.take(ctx, token, addsPasskey)
	if err != nil {
		return nil, err
	}
	h, err := s.holder(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(bounded(response))
	if err != nil {
		return nil, notUnderstood(err)
	}
	made, err := s.passkeys.CreateCredential(h, c.Data, parsed)
	if err != nil {
		return nil, notUnderstood(err)
	}
	made.Attestation = webauthn.CredentialAttestation{} // proves nothing to us
	codes, hashes, events, err := s.firstCodes(ctx, who)
	if err != nil {
		return nil, err
	}
	p := Passkey{ID: id.NewPasskey(), Account: who.Account, Name: name, Credential: *made, CreatedAt: s.now()}
	events = append([]audit.Event{audit.New(who, s.now(), audit.PasskeyAdded, string(who.Account), audit.Detail{"name": name, "passkey": string(p.ID)})}, events...)
	return codes, s.store.AddPasskey(ctx, p, hashes, events...)
}

// RemovePasskey takes one of the caller's passkeys out of use. Another way in
// must be left.
func (s *Service) RemovePasskey(ctx context.Context, who caller.Caller, token secret.Text, p id.Passkey) error {
	if err := access.CheckAccount(who); err != nil {
		return err
	}
	if _, err := s.confirmed(ctx, who, token); err != nil {
		return err
	}
	keys, err := s.store.Passkeys(ctx, who.Account)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(keys, func(k Passkey) bool { return k.ID == p })
	if at < 0 {
		return fault.New(fault.NotFound, "you have no such passkey")
	}
	return s.store.RemovePasskey(ctx, who.Account, p, audit.New(who, s.now(), audit.PasskeyRemoved, string(who.Account), audit.Detail{"name": keys[at].Name, "passkey": string(p)}))
}

// bounded is a response as the library reads it; a longer one is no response.
func bounded(response string) []byte {
	if len(response) > maxResponse {
		return nil
	}
	return []byte(response)
}

func notUnderstood(cause error) error {
	return fault.Wrap(fault.Invalid, cause, "the browser's answer about the passkey was not accepted").WithHint("begin again")
}

// take returns what a browser was asked, once.
func (s *Service) take(ctx context.Context, token secret.Text, kind CeremonyKind) (Ceremony, error) {
	if s.passkeys == nil {
		return Ceremony{}, errNoPasskeys
	}
	c, ok, err := s.store.TakeCeremony(ctx, token.Hash(), kind, s.now())
	if err == nil && !ok {
		err = errPasskey
	}
	return c, err
}

// BeginPasskey asks a stranger's browser for a passkey. The answer must come
// with the token.
func (s *Service) BeginPasskey(ctx context.Context, from Origin) (token secret.Text, options string, err error) {
	if s.passkeys == nil {
		return secret.Text{}, "", errNoPasskeys
	}
	if ok, wait := s.byAddress.Allow(limit.Network(from.Address)); !ok {
		return secret.Text{}, "", tooMany(wait)
	}
	// The person is verified by the authenticator: possession and knowledge, or a
	// body, are two factors.
	assertion, data, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return secret.Text{}, "", fmt.Errorf("asking for a passkey: %w", err)
	}
	token = secret.Mint(secret.StepToken)
	options, err = s.keep(ctx, token, signsIn, data, assertion.Response)
	return token, options, err
}

// SignInByPasskey signs in with the answer to BeginPasskey.
func (s *Service) SignInByPasskey(ctx context.Context, token secret.Text, response string, from Origin) (SignedIn, error) {
	right, err := s.attempt(from)
	if err != nil {
		return SignedIn{}, err
	}
	c, err := s.take(ctx, token, signsIn)
	if err != nil {
		return SignedIn{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(bounded(response))
	if err != nil {
		return SignedIn{}, errPasskey
	}
	var whose holder
	_, used, err := s.passkeys.ValidatePasskeyLogin(func(_, user []byte) (webauthn.User, error) {
		var err error
		whose, err = s.holder(ctx, id.Account(org.CleanText(string(user), 64)))
		return whose, err
	}, c.Data, parsed)
	p, err := s.judge(ctx, whose, parsed.RawID, used, err, from)
	if err != nil {
		return SignedIn{}, err
	}
	who, err := s.callerOf(ctx, whose.person.Account, "")
	if err != nil {
		return SignedIn{}, err
	}
	who = who.From(from.Address)
	in, a, err := s.arrival(ctx, who, from, "passkey")
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.store.EnterByProof(ctx, nil, p, a); err != nil {
		return SignedIn{}, err
	}
	right()
	return in, nil
}

// askFor asks a browser for one of an account's passkeys.
func (s *Service) askFor(ctx context.Context, a id.Account, token secret.Text, kind CeremonyKind) (string, error) {
	if s.passkeys == nil {
		return "", errNoPasskeys
	}
	h, err := s.holder(ctx, a)
	if err != nil {
		return "", err
	}
	if len(h.keys) == 0 {
		return "", fault.New(fault.Conflict, "this account has no passkey")
	}
	assertion, data, err := s.passkeys.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return "", fmt.Errorf("asking for a passkey: %w", err)
	}
	return s.keep(ctx, token, kind, data, assertion.Response)
}

// answered checks the answer to askFor.
func (s *Service) answered(ctx context.Context, a id.Account, token secret.Text, kind CeremonyKind, response string, from Origin) (Proof, error) {
	c, err := s.take(ctx, token, kind)
	if err != nil {
		return Proof{}, err
	}
	h, err := s.holder(ctx, a)
	if err != nil {
		return Proof{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(bounded(response))
	if err != nil {
		return Proof{}, errPasskey
	}
	used, err := s.passkeys.ValidateLogin(h, c.Data, parsed)
	return s.judge(ctx, h, parsed.RawID, used, err, from)
}

// judge makes a proof of what the library found. A wrong answer is noted with
// the account that it was for, and so is a counter that went back: somebody has
// a copy of that passkey.
func (s *Service) judge(ctx context.Context, h holder, credential []byte, used *webauthn.Credential, cause error, from Origin) (Proof, error) {
	key, known := h.key(credential)
	if cause == nil && known && !used.Authenticator.CloneWarning {
		was := key.Credential.Authenticator.SignCount
		key.Credential, key.UsedAt = *used, s.now()
		return Proof{Passkey: &key, Counter: was}, nil
	}
	if !known {
		return Proof{}, errPasskey
	}
	why := ""
	if cause == nil {
		why = "sign_count"
	}
	return Proof{}, orElse(s.store.Note(ctx, s.failed(h.person.Account, "passkey", from, audit.Detail{"why": why, "name": key.Name})), errPasskey)
}
