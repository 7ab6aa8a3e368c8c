package useragent

import "strings"

// browsersKnown and systemsKnown are looked for in this order: most name others
// beside themselves.
var (
	browsersKnown = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Safari/", "Safari"}, {"curl/", "curl"}}
	systemsKnown = [][2]string{{"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Macintosh", "a Mac"}, {"Linux", "Linux"}}
)

// Name is what people call the browser and its system: "Firefox on Windows".
func Name(agent string) string {
	find := func(known [][2]string) string {
		for _, k := range known {
			if strings.Contains(agent, k[0]) {
				return k[1]
			}
		}
		return ""
	}
	browser, system := find(browsersKnown), find(systemsKnown)
	switch {
	case browser == "" && system == "":
		return "An unknown browser"
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// Same reports whether two headers are of the same browser, of whatever version:
// browsers renew themselves every few weeks.
func Same(a, b string) bool { return unversioned(a) == unversioned(b) }

func unversioned(agent string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || ('0' <= r && r <= '9') {
			return -1
		}
		return r
	}, agent)
}
