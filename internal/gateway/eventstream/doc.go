// Package eventstream reads and writes the frames of AWS's binary event stream
// (application/vnd.amazon.eventstream), in which Amazon Bedrock streams answers.
//
// A frame, all numbers big-endian:
//
//	total length  4 bytes   of the whole frame, this field included
//	header length 4 bytes
//	CRC           4 bytes   CRC-32 (IEEE) of the eight bytes before
//	headers                 each: 1 byte length of the name, the name, 1 byte type, the value
//	payload
//	CRC           4 bytes   of everything before
//
// Both lengths and both sums are checked before anything of a frame is used, so
// that a lying length takes no memory and a flipped bit reaches nobody. Headers of
// other types than string are skipped: no header that says what an event is has
// one.
//
// The format: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
// and the SDKs' smithy specification of it.
package eventstream
