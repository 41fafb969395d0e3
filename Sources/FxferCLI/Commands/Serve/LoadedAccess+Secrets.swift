import FxferProtocol

extension AccessOptions.Loaded {
    /// Makes sure that what clients reach has none of the server's secrets.
    ///
    /// - Throws: `usage`, naming the secret.
    func checkSecrets(outside directory: [UInt8]) throws(FxferError) {
        guard let directory = RealPath.resolve(directory) else { return }
        for secret in self.secrets {
            guard let place = RealPath.resolve(secret), Self.isInside(place, directory) else { continue }
            throw FxferError(
                .usage,
                "'\(EscapedText.escape(secret))' lies in the directory that is served, where clients may reach it; move it, "
                    + "or serve another directory"
            )
        }
    }

    private static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        return path == directory || path.starts(with: directory.last == slash ? directory : directory + [slash])
    }
}
