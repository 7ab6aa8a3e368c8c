// Package repository finds the folder of this module from any of its tests.
//
// Kits need it for what is not Go: installed clients, scripts, built programs.
// It must never be imported by a program: those don't know where they were built.
package repository
