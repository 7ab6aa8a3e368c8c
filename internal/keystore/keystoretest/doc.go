// Package keystoretest is the suite that every backend of package keystore
// passes. A backend's test calls Run; what the suite asks is what package
// keystore promises.
package keystoretest
