package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

//go:embed assets
var assetFiles embed.FS

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the embedded files under names that change with their content.
type assets struct {
	urls  map[string]string // "console.css" → "/assets/console.1a2b3c4d5e6f.css"
	files map[string]assetFile
}

type assetFile struct {
	content []byte
	mime    string
}

func loadAssets() assets {
	a := assets{urls: map[string]string{}, files: map[string]assetFile{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // the program was built without its files
	}
	for _, entry := range entries {
		content, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.urls[entry.Name()] = "/assets/" + name
		a.files[name] = assetFile{content, assetTypes[ext]}
	}
	return a
}

func (c *Console) asset(v *visit) error {
	file, ok := c.assets.files[v.r.PathValue("name")]
	if !ok {
		return fault.New(fault.NotFound, "there is no such file")
	}
	h := v.w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", file.mime)
	h.Set("Content-Length", strconv.Itoa(len(file.content)))
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(file.content)
	}
	return nil
}
