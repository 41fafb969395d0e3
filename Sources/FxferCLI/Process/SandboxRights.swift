/// What a sandbox denies, or allows in a folder: LANDLOCK_ACCESS_FS_* of linux/landlock.h.
struct SandboxRights: OptionSet {
    let rawValue: UInt64

    static let execute = SandboxRights(rawValue: 1 << 0)
    static let writeFile = SandboxRights(rawValue: 1 << 1)
    static let readFile = SandboxRights(rawValue: 1 << 2)
    static let readFolder = SandboxRights(rawValue: 1 << 3)
    static let removeFolder = SandboxRights(rawValue: 1 << 4)
    static let removeFile = SandboxRights(rawValue: 1 << 5)
    static let makeFolder = SandboxRights(rawValue: 1 << 7)
    static let makeFile = SandboxRights(rawValue: 1 << 8)
    /// Linking and moving files from one folder to another.
    static let refer = SandboxRights(rawValue: 1 << 13)
    static let truncate = SandboxRights(rawValue: 1 << 14)

    /// All that a kernel can deny. Making devices, sockets, FIFOs and links are bits 6 and 9 to 12, ioctl(2) on devices
    /// is 15.
    static func all(in version: Int) -> SandboxRights {
        switch version {
        case ..<2: SandboxRights(rawValue: (1 << 13) - 1)
        case 2: SandboxRights(rawValue: (1 << 14) - 1)
        case 3, 4: SandboxRights(rawValue: (1 << 15) - 1)
        default: SandboxRights(rawValue: (1 << 16) - 1)
        }
    }

    /// What a store needs in its directory: no programs, devices, sockets, FIFOs or links.
    static let storing: SandboxRights = [
        .writeFile, .readFile, .readFolder, .removeFolder, .removeFile, .makeFolder, .makeFile, .refer, .truncate,
    ]

    /// What it takes to read a file whose name is known.
    static let reading: SandboxRights = .readFile
}
