import Glibc

/// A command-line argument without loss. Swift's own arguments are text, in which bytes that are not UTF-8 are
/// replaced; file names are bytes. So each such byte is carried through the argument parser as a private-use
/// character, U+10FF00 plus the byte, and turned back where a name is used.
struct RawArgument {
    private static let carrierBase: UInt32 = 0x10_FF00

    /// The argument as text for the parser.
    let text: String

    /// Takes the argument's bytes.
    init(bytes: some Collection<UInt8>) {
        var scalars = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            var decoder = UTF8()
            var iterator = rest.makeIterator()
            if case .scalarValue(let scalar) = decoder.decode(&iterator), scalar.value < Self.carrierBase {
                scalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                scalars.append(Self.carrier(of: first))
                rest = rest.dropFirst()
            }
        }
        self.text = String(scalars)
    }

    /// Takes an argument back from the parser.
    init(text: String) {
        self.text = text
    }

    /// The argument's bytes as the shell gave them.
    var bytes: [UInt8] {
        self.text.unicodeScalars.flatMap { scalar in
            scalar.value < Self.carrierBase
                ? Array(String(scalar).utf8) : [UInt8(truncatingIfNeeded: scalar.value)]
        }
    }

    /// The arguments of this process without its name.
    static func arguments() -> [RawArgument] {
        (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
            CommandLine.unsafeArgv[index].map { pointer in
                RawArgument(
                    bytes: UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map(UInt8.init(bitPattern:))
                )
            }
        }
    }

    private static func carrier(of byte: UInt8) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(Self.carrierBase + UInt32(byte)) else {
            preconditionFailure("U+10FF00 to U+10FFFF are scalar values")
        }
        return scalar
    }
}
