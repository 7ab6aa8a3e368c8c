package store

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// mostArgs bounds the arguments of a statement with many rows. SQLite looks for
// each among those before it, so a statement costs the square of their number;
// PostgreSQL wants few round trips. Both are content with this.
const mostArgs = 240

// rows are those of a VALUES list, of any number.
type rows struct {
	width int
	args  []any
}

func (r *rows) add(columns ...any) {
	r.width = len(columns)
	r.args = append(r.args, columns...)
}

// put runs a statement for all rows, a few at a time: before, the rows and after
// make its text.
func (t tx) put(before string, r rows, after string) error {
	if len(r.args) == 0 {
		return nil
	}
	whole := max(1, mostArgs/r.width) * r.width
	var again *sql.Stmt
	for begin := 0; begin < len(r.args); begin += whole {
		some := r.args[begin:min(begin+whole, len(r.args))]
		text := before + marks(len(some), r.width) + after
		switch {
		case len(r.args) < 2*whole || len(some) < whole: // it is not worth while to prepare it
			if _, err := t.exec(text, some...); err != nil {
				return err
			}
			continue
		case again == nil:
			var err error
			if again, err = t.PrepareContext(t.ctx, text); err != nil {
				return fmt.Errorf("%s: %w", verb(before), err)
			}
			defer again.Close()
		}
		if _, err := again.ExecContext(t.ctx, some...); err != nil {
			return fmt.Errorf("%s: %w", verb(before), err)
		}
	}
	return nil
}

// marks stand for n arguments in rows of a width.
func marks(n, width int) string {
	var b strings.Builder
	for i := range n {
		switch {
		case i == 0:
			b.WriteString("($")
		case i%width == 0:
			b.WriteString("), ($")
		default:
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(i + 1))
	}
	return b.String() + ")"
}
