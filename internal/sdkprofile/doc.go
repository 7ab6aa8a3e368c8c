// Package sdkprofile writes the profile through which Claude Code and every
// official Anthropic SDK find our server: configs/NAME.json in the folder they
// share, beside credentials/NAME.json which package keystore/file keeps.
//
//	{"version":"1.0","authentication":{"type":"user_oauth","client_id":"gatehouse"},
//	 "base_url":"https://gate.example.com","organization_id":"…"}
//
// With ANTHROPIC_PROFILE=NAME they send the access token to base_url and renew it
// at base_url/v1/oauth/token by themselves.
//
// Without it they use the profile that active_config names, which "gatehouse use"
// writes when a person says so.
//
// It must never touch a profile that is not ours (another client_id), nor choose
// the active profile by itself.
package sdkprofile
