// Package foundry is the upstream that speaks Claude in Microsoft Foundry: the
// Messages API under the address of a resource, where a deployment's name stands
// for a model.
//
// It sends what package anthropic sends, with the names and abilities of Foundry and
// with a key of the resource or a token of Entra.
package foundry
