/// What a frame says. The high bit tells a receiver that does not know a type what to do with it: clear, the frame is
/// critical and the connection fails; set, it is optional and skipped.
package struct FrameType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Whether a receiver that does not know this type skips the frame.
    package var isOptional: Bool { self.rawValue & 0x80 != 0 }

    package static let hello = FrameType(rawValue: 0x01)
    package static let welcome = FrameType(rawValue: 0x02)
    package static let auth = FrameType(rawValue: 0x03)
    package static let error = FrameType(rawValue: 0x04)
    package static let bye = FrameType(rawValue: 0x05)

    package static let offer = FrameType(rawValue: 0x10)
    package static let accept = FrameType(rawValue: 0x11)
    package static let refuse = FrameType(rawValue: 0x12)
    package static let cancel = FrameType(rawValue: 0x13)
    package static let chunk = FrameType(rawValue: 0x14)
    package static let confirm = FrameType(rawValue: 0x15)
    package static let rewind = FrameType(rawValue: 0x16)
    package static let finish = FrameType(rawValue: 0x17)
    package static let receipt = FrameType(rawValue: 0x18)
    package static let same = FrameType(rawValue: 0x19)
    package static let repair = FrameType(rawValue: 0x1A)

    package static let get = FrameType(rawValue: 0x20)
    package static let list = FrameType(rawValue: 0x21)
    package static let entry = FrameType(rawValue: 0x22)
    package static let listed = FrameType(rawValue: 0x23)

    package static let alive = FrameType(rawValue: 0x80)
    package static let reading = FrameType(rawValue: 0x81)
}

extension FrameType: CustomStringConvertible {
    /// `0x` and two hexadecimal digits.
    package var description: String {
        let digits = String(self.rawValue, radix: 16)
        return "0x" + (digits.count < 2 ? "0" : "") + digits
    }
}
