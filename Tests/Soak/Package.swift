// swift-tools-version: 6.2
import PackageDescription

/// The rules of the project's own package.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The engine and what plays whole lives on a recorded host, with their tests alone, so that a changed
// engine is built in seconds. `copy_engine` in `copy-engine.sh` puts the sources beside a copy of this
// file.
let package = Package(
  name: "berth-soak",
  targets: [
    .target(name: "CLinux"),
    .target(name: "CZstd"),
    .systemLibrary(name: "CExpat"),
    .target(name: "Bytes", swiftSettings: strict),
    .target(name: "HostModel", dependencies: ["Bytes"], swiftSettings: strict),
    .target(name: "Tunings", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(name: "Ledger", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(
      name: "SystemCalls", dependencies: ["Bytes", "HostModel", "CLinux"], swiftSettings: strict),
    .target(
      name: "Formats", dependencies: ["Bytes", "HostModel", "CExpat", "CZstd"],
      swiftSettings: strict),
    .target(name: "Port", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(
      name: "Recorded",
      dependencies: ["Bytes", "HostModel", "Formats", "Port", "SystemCalls", "CLinux"],
      swiftSettings: strict),
    .target(
      name: "Facts", dependencies: ["Bytes", "HostModel", "Formats", "Port"],
      swiftSettings: strict),
    .target(
      name: "Places", dependencies: ["Bytes", "HostModel", "Ledger", "Port", "Facts"],
      swiftSettings: strict),
    .target(
      name: "Lifecycle",
      dependencies: ["Bytes", "HostModel", "Tunings", "Ledger", "Port", "Facts", "Places"],
      swiftSettings: strict),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "MeanTests",
      dependencies: [
        "Bytes", "HostModel", "Tunings", "Ledger", "Formats", "Port", "Recorded", "Lifecycle",
      ],
      swiftSettings: strict),
  ]
)
