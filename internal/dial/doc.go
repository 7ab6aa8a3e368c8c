// Package dial makes the connections that somebody else has a say in: the
// address of an upstream is set by an organization's owner, and what a name
// stands for is set by whoever has the name.
//
// A server stands where its guests do not: beside databases, behind the
// firewall, within reach of the cloud's metadata service, which hands out
// credentials to anybody on the machine. So a Guard connects to the open network
// only, and to this machine and private networks if whoever runs the server says
// so. Addresses that nothing good answers at stay closed even then.
//
// It judges the address that is connected to, at the moment it is: a name is
// looked up once, and what comes of the look-up is what is judged and used. It
// must never judge by a name alone where it connects itself.
package dial
