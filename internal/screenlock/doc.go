// Package screenlock tells when the screen of this user is locked.
//
//	session bus  ActiveChanged of org.freedesktop.ScreenSaver and org.gnome.ScreenSaver,
//	             whose GetActive is asked at the start
//	system bus   Lock of org.freedesktop.login1.Session (logind)
//
// logind's Lock counts for any session, because a lock too many does no harm; its
// Unlock does not count, because it may be another person's.
//
// There is only Linux so far. It must never take silence for an open screen: when
// the session bus is gone, Watch ends, and whoever asked locks.
package screenlock
