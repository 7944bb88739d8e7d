#!/usr/bin/env bash
# Makes the small films and recordings of the media tests, which python packages cannot write.
# Needs ffmpeg; the tests do not.
set -euo pipefail
cd "$(dirname "$0")"
make() { ffmpeg -v error -y "${@:1:$#-1}" -fflags +bitexact -flags +bitexact "${@: -1}"; }
h264=(-c:v libx264 -x264-params log-level=error -pix_fmt yuv420p -map_metadata -1)

# A second each of red, lime, blue; silence but for a tone in the second second.
colours="color=red:96x64:r=10:d=1[r];color=lime:96x64:r=10:d=1[g];color=blue:96x64:r=10:d=1[b];[r][g][b]concat=n=3"
tone="aevalsrc='0.5*sin(2*PI*440*t)*between(t,1,2)':s=44100:d=3"
make -f lavfi -i "$colours" -f lavfi -i "$tone" "${h264[@]}" -c:a aac -b:a 24k -movflags +faststart colours.mp4
make -f lavfi -i "$tone" -c:a aac -b:a 24k -map_metadata -1 tone.m4a
make -f lavfi -i "$tone" -c:a aac -b:a 24k -f adts tone.aac
make -f lavfi -i "$tone" -c:a libopus -b:a 24k -f webm tone.weba
make -i colours.mp4 -c copy -vn sound_only.mp4
make -i colours.mp4 -c copy -an mute.mp4
make -i colours.mp4 -itsoffset 0.5 -i tone.m4a -map 0:v -map 1:a -c copy late_sound.mp4
make -i colours.mp4 -t 1 -c:v libvpx -b:v 50k -c:a libvorbis colours.webm

# Red on the left half; stored lying, shown upright (as telephones write portrait films).
make -f lavfi -i "color=red:64x64:r=5:d=1[l];color=blue:64x64:r=5:d=1[r];[l][r]hstack" "${h264[@]}" lying.mp4
make -i lying.mp4 -c copy -metadata:s:v rotate=90 portrait.mp4
rm lying.mp4

# Red for 1 s at 10 frames a second, then blue for 3 s at 2.
make -f lavfi -i "color=red:96x64:r=10:d=1[r];color=blue:96x64:r=10:d=0.6[b];[r][b]concat=n=2,setpts='if(lt(N,10),N/10,1+(N-10)/2)/TB'" -vsync vfr "${h264[@]}" uneven.mp4
make -f lavfi -i "color=red:96x64:r=10" -frames:v 1 "${h264[@]}" one_frame.mp4
make -f lavfi -i "color=red:96x64:r=10" -frames:v 5 -c:v libaom-av1 -cpu-used 8 av1.mp4
make -f lavfi -i "color=red:24x64:r=10" -frames:v 5 "${h264[@]}" narrow.mp4
