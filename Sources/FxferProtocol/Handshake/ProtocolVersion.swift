/// The versions of the protocol that this side speaks.
package enum ProtocolVersion {
    package static let supported: ClosedRange<UInt16> = 1...1
}
