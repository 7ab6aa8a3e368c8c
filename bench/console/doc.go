// Package console measures the pages of the console for a large organization, on
// SQLite and PostgreSQL: the time until the last byte, on a connection that
// stands, as somebody without a cache sees it.
//
//	go test ./bench/console -run '^$' -bench . -benchtime 100x
//
// The server is its own program, as shipped. What is reported is p50 and p95 in
// milliseconds of a hundred requests, one after the other; a list page is to
// take less than 50 ms at p95. GATEHOUSE_BENCH_SCALE=0.01 makes everything a
// hundredth of the size, to try the benchmark itself. Filling takes minutes:
// GATEHOUSE_BENCH_DATA names a folder in which the data stays for the next time,
// and GATEHOUSE_BENCH_POSTGRES a database that stays as well.
package console
