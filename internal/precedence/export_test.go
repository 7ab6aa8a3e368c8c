package precedence

// Effective is a variable as Claude Code has it.
func Effective(m Machine, name string) string {
	all, _ := m.layers()
	return m.effective(all, name).Text
}

// HelperLine is the apiKeyHelper.
func HelperLine(m Machine) string {
	all, _ := m.layers()
	v, _ := setting(all, "apiKeyHelper")
	return v.Text
}
