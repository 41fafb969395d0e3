import FxferProtocol

/// What clients reach must have none of the server's secrets in it.
enum SecretPlace {
    /// - Parameters:
    ///   - secret: the path of a file or folder, which need not exist yet.
    ///   - directory: what is served, which need not exist yet.
    /// - Throws: `usage`, naming the secret.
    static func check(_ secret: [UInt8], outside directory: [UInt8]) throws(FxferError) {
        let directory = RealPath.resolveBeginning(directory)
        guard Self.isInside(RealPath.resolveBeginning(secret), directory) else { return }
        throw FxferError(
            .usage,
            "'\(EscapedText.escape(secret))' lies in the directory that is served, where clients may reach it; move it, "
                + "or serve another directory"
        )
    }

    private static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        return path == directory || path.starts(with: directory.last == slash ? directory : directory + [slash])
    }
}
