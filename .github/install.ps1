<#
.SYNOPSIS
Installs gatewayctl: downloads the archive for Windows from a release, compares its checksum, and unpacks the program.
.EXAMPLE
irm RELEASE/install.ps1 | iex
.EXAMPLE
& ([scriptblock]::Create((irm RELEASE/install.ps1))) -Version 1.2.3 -InstallDir C:\tools
#>
[CmdletBinding()]
param(
    # The version, if it is not the one of the release that this file is from.
    [string] $Version,
    # The folder of the program. No rights of an administrator are needed for the default.
    [string] $InstallDir = $(if ($env:GATEWAYCTL_BIN) { $env:GATEWAYCTL_BIN } else { "$env:LOCALAPPDATA\Programs\gatewayctl" })
)
$ErrorActionPreference = 'Stop'

# Everything is in a function that the last line calls, so that a download that breaks off runs nothing.
function Install-Gatewayctl {
    # Windows PowerShell 5.1 draws its progress so slowly that a download takes minutes.
    $ProgressPreference = 'SilentlyContinue'
    if ($PSVersionTable.Platform -eq 'Unix') {
        throw 'this is the installer for Windows; on Linux and macOS use install.sh'
    }
    $processor = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    $target = switch ($processor) {
        'AMD64' { 'x86_64-pc-windows-msvc' }
        # Windows runs programs for AMD64 on ARM64, too.
        'ARM64' { 'x86_64-pc-windows-msvc' }
        default { throw "there is no release for Windows $processor; build it from source: cargo install --path . --locked" }
    }
    # The release workflow puts the address of its own release here.
    $release = if ($env:GATEWAYCTL_RELEASE) { $env:GATEWAYCTL_RELEASE } else { '@RELEASE@' }
    if ($Version) {
        $release = $release -replace '/v[^/]*$', "/v$($Version.TrimStart('v'))"
    }
    # Windows PowerShell 5.1 doesn't offer TLS 1.2 by itself on older systems.
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $archive = "gatewayctl-$target.tar.gz"
    $work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
    New-Item -ItemType Directory -Path $work | Out-Null
    try {
        foreach ($file in $archive, "$archive.sha256") {
            Invoke-WebRequest -UseBasicParsing -Uri "$release/$file" -OutFile (Join-Path $work $file)
        }
        $expected = ((Get-Content -Raw (Join-Path $work "$archive.sha256")).Trim() -split '\s+')[0]
        $found = (Get-FileHash -Algorithm SHA256 (Join-Path $work $archive)).Hash
        if ($found -ne $expected) {
            throw "$archive is not the released one: its checksum differs; nothing was installed"
        }
        & "$env:SystemRoot\System32\tar.exe" -xzf (Join-Path $work $archive) -C $work gatewayctl.exe
        if ($LASTEXITCODE -ne 0) {
            throw "$archive can't be unpacked"
        }
        New-Item -ItemType Directory -Force -Path $InstallDir | Out-Null
        $program = Join-Path $InstallDir 'gatewayctl.exe'
        # A program that is running can be renamed, but not replaced.
        if (Test-Path $program) {
            Remove-Item -Force -ErrorAction SilentlyContinue "$program.old"
            Move-Item -Force $program "$program.old"
        }
        Move-Item (Join-Path $work 'gatewayctl.exe') $program
    }
    finally {
        Remove-Item -Recurse -Force $work
    }
    & $program --version
    if ($LASTEXITCODE -ne 0) {
        throw "$program doesn't run on this system"
    }
    "installed in $InstallDir"
    if (($env:Path -split ';') -notcontains $InstallDir) {
        "note: $InstallDir is not on your Path; add it: [Environment]::SetEnvironmentVariable('Path', [Environment]::GetEnvironmentVariable('Path', 'User') + ';$InstallDir', 'User')"
    }
}

Install-Gatewayctl
