package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

var assetRoutes = []route{
	get("/assets/{name}", nothing, (*Console).asset),
	post("/theme", nothing, (*Console).theme),
}

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
	for _, entry := range readDir("assets") {
		if !entry.IsDir() {
			a.add(entry.Name(), readAsset("assets/"+entry.Name()))
		}
	}
	// The style sheet is one file to a browser and one a subject here, joined in
	// the order of their names: what comes later may add, and overrides nothing.
	var style []byte
	for _, entry := range readDir("assets/style") {
		style = append(style, readAsset("assets/style/"+entry.Name())...)
	}
	a.add("console.css", style)
	return a
}

func (a assets) add(as string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(as)
	name := strings.TrimSuffix(as, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.urls[as] = "/assets/" + name
	a.files[name] = assetFile{content, assetTypes[ext]}
}

func readDir(name string) []fs.DirEntry {
	entries, err := assetFiles.ReadDir(name)
	if err != nil {
		panic(err) // the program was built without its files
	}
	return entries
}

func readAsset(name string) []byte {
	content, err := assetFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return content
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
