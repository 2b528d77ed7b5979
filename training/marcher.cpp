// Renders worlds of signed distances with exact truth; one source for CUDA (nvcc -x cu) and for a CPU (g++ -fopenmp).
//
// A ray is tested against each thing's bounding sphere and marches only inside those that it meets, front to back;
// ground, walls and ceiling are met analytically. Sphere tracing: Hart 1996; the distances follow the well-known
// closed forms; soft shadows and ambient occlusion are the usual cone approximations along the same field.
// The layout of the float records is named once, in marcher.py and worlds/records.py, and must match the enums here.
#include <cmath>
#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#define FN __device__ __forceinline__
#define FN_BIG __device__ __noinline__
#else
#define FN static inline
#define FN_BIG static
#include <algorithm>
#endif

enum { SCENE_FLOATS = 80, THING_FLOATS = 20, PRIM_FLOATS = 28, MATERIAL_FLOATS = 28 };
enum { CEILING = 251, WALL = 252, GROUND = 253 };
enum { OPEN_GROUND = 0, ROOM = 1, VOID = 2 };
constexpr float SKY_M = 1000.f, FARTHEST_M = 400.f, NEAREST_M = .03f;

struct V3 {
  float x, y, z;
};
FN V3 v3(float x, float y, float z) { return V3{x, y, z}; }
FN V3 load3(const float *p) { return V3{p[0], p[1], p[2]}; }
FN V3 operator+(V3 a, V3 b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
FN V3 operator-(V3 a, V3 b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
FN V3 operator*(V3 a, V3 b) { return v3(a.x * b.x, a.y * b.y, a.z * b.z); }
FN V3 operator*(V3 a, float s) { return v3(a.x * s, a.y * s, a.z * s); }
FN float dot(V3 a, V3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
FN float length(V3 a) { return sqrtf(dot(a, a)); }
FN float length2(float a, float b) { return sqrtf(a * a + b * b); }
FN V3 normalise(V3 a) { return a * (1.f / fmaxf(length(a), 1e-9f)); }
FN V3 mix(V3 a, V3 b, float t) { return a * (1.f - t) + b * t; }
FN float clampf(float x, float a, float b) { return fminf(fmaxf(x, a), b); }
FN float smoothstep(float a, float b, float x) {
  x = clampf((x - a) / (b - a), 0.f, 1.f);
  return x * x * (3.f - 2.f * x);
}

// ---- noise ----------------------------------------------------------------------------------------------------------

FN uint32_t hash32(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x;
}
FN float hash01(int x, int y, int z, uint32_t seed) {
  uint32_t h = (uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u ^ (uint32_t)z * 83492791u ^ seed * 2654435761u;
  return (float)(hash32(h) & 0xffffff) / 16777216.f;
}
FN_BIG float noise(V3 p, uint32_t seed) {  // value noise, 0..1
  float fx = floorf(p.x), fy = floorf(p.y), fz = floorf(p.z);
  int x = (int)fx, y = (int)fy, z = (int)fz;
  float u = p.x - fx, v = p.y - fy, w = p.z - fz;
  u = u * u * (3.f - 2.f * u);
  v = v * v * (3.f - 2.f * v);
  w = w * w * (3.f - 2.f * w);
  float a = hash01(x, y, z, seed) * (1 - u) + hash01(x + 1, y, z, seed) * u;
  float b = hash01(x, y + 1, z, seed) * (1 - u) + hash01(x + 1, y + 1, z, seed) * u;
  float c = hash01(x, y, z + 1, seed) * (1 - u) + hash01(x + 1, y, z + 1, seed) * u;
  float d = hash01(x, y + 1, z + 1, seed) * (1 - u) + hash01(x + 1, y + 1, z + 1, seed) * u;
  return (a * (1 - v) + b * v) * (1 - w) + (c * (1 - v) + d * v) * w;
}
FN_BIG float fractal(V3 p, uint32_t seed, int octaves) {
  float gain = .5f, sum = 0.f, all = 0.f;
  for (int i = 0; i < octaves; i++) {
    sum += gain * noise(p, seed + i);
    all += gain;
    p = p * 2.03f;
    gain *= .5f;
  }
  return sum / all;
}

// ---- distances ------------------------------------------------------------------------------------------------------

FN float box_distance(float x, float y, float z, float sx, float sy, float sz) {
  float a = fabsf(x) - sx, b = fabsf(y) - sy, c = fabsf(z) - sz;
  float ma = fmaxf(a, 0.f), mb = fmaxf(b, 0.f), mc = fmaxf(c, 0.f);
  return sqrtf(ma * ma + mb * mb + mc * mc) + fminf(fmaxf(a, fmaxf(b, c)), 0.f);
}
FN float segment2(float x, float y, float ax, float ay, float bx, float by) {
  float px = x - ax, py = y - ay, dx = bx - ax, dy = by - ay;
  float t = clampf((px * dx + py * dy) / fmaxf(dx * dx + dy * dy, 1e-12f), 0.f, 1.f);
  return length2(px - dx * t, py - dy * t);
}

enum Shape {
  BOX, ELLIPSOID, CYLINDER, CONE, TORUS, CAPSULE, TUBE, FRAME, SHEET, BARS, SPOKES, BOWL, WEDGE, STAR, PILLOW, FOLIAGE,
  FLUTED
};

// One primitive record: 0 shape, 1-3 centre, 4-12 rows of local-from-world, 13-15 size, 16 rounding, 17 material,
// 18 part, 19-21 extras a b c, 22 carves (1) or adds (0), 23 bounding radius, 24-27 spare.
FN float primitive_distance(const float *q, V3 p) {
  V3 d = v3(p.x - q[1], p.y - q[2], p.z - q[3]);
  V3 l = v3(q[4] * d.x + q[5] * d.y + q[6] * d.z, q[7] * d.x + q[8] * d.y + q[9] * d.z,
            q[10] * d.x + q[11] * d.y + q[12] * d.z);
  float sx = q[13], sy = q[14], sz = q[15], r = q[16], a = q[19], b = q[20], c = q[21];
  switch ((int)q[0]) {
    case BOX:
      return box_distance(l.x, l.y, l.z, sx - r, sy - r, sz - r) - r;
    case ELLIPSOID: {
      float k0 = length(v3(l.x / sx, l.y / sy, l.z / sz));
      float k1 = length(v3(l.x / (sx * sx), l.y / (sy * sy), l.z / (sz * sz)));
      return k1 < 1e-6f ? -fminf(sx, fminf(sy, sz)) : k0 * (k0 - 1.f) / k1;
    }
    case CYLINDER: {
      float u = length2(l.x, l.z) - sx + r, v = fabsf(l.y) - sy + r;
      return length2(fmaxf(u, 0.f), fmaxf(v, 0.f)) + fminf(fmaxf(u, v), 0.f) - r;
    }
    case CONE: {  // radius sx below, sz above
      float x = length2(l.x, l.z), y = l.y, h = sy, k2x = sz - sx, k2y = 2 * h;
      float cax = x - fminf(x, y < 0.f ? sx : sz), cay = fabsf(y) - h;
      float t = clampf(((sz - x) * k2x + (h - y) * k2y) / (k2x * k2x + k2y * k2y), 0.f, 1.f);
      float cbx = x - sz + k2x * t, cby = y - h + k2y * t;
      float s = (cbx < 0.f && cay < 0.f) ? -1.f : 1.f;
      return s * sqrtf(fminf(cax * cax + cay * cay, cbx * cbx + cby * cby)) - r;
    }
    case TORUS: {  // ring in xz; an arc of half-angle a around +x where a > 0
      float u = length2(l.x, l.z);
      if (a > 0.f) {
        float turn = atan2f(l.z, l.x), held = clampf(turn, -a, a);
        V3 near = v3(sx * cosf(held), 0.f, sx * sinf(held));
        return length(l - near) - sz;
      }
      return length2(u - sx, l.y) - sz;
    }
    case CAPSULE: {
      float y = l.y - clampf(l.y, -sy, sy);
      float thick = sx + (a - sx) * clampf(.5f + .5f * l.y / fmaxf(sy, 1e-6f), 0.f, 1.f) * (a > 0.f ? 1.f : 0.f);
      return sqrtf(l.x * l.x + y * y + l.z * l.z) - thick;
    }
    case TUBE: {  // wall from radius sx below to a above, bottom unless b > 0, wall thickness sz
      float x = length2(l.x, l.z), e = segment2(x, l.y, sx, -sy, a, sy);
      if (b <= 0.f) e = fminf(e, segment2(x, l.y, 0.f, -sy, sx, -sy));
      return e - sz;
    }
    case FRAME: {  // the edges of a box, r thick
      float x = fabsf(l.x) - sx, y = fabsf(l.y) - sy, z = fabsf(l.z) - sz;
      float u = fabsf(x + r) - r, v = fabsf(y + r) - r, w = fabsf(z + r) - r;
      float e1 = length(v3(fmaxf(x, 0.f), fmaxf(v, 0.f), fmaxf(w, 0.f))) + fminf(fmaxf(x, fmaxf(v, w)), 0.f);
      float e2 = length(v3(fmaxf(u, 0.f), fmaxf(y, 0.f), fmaxf(w, 0.f))) + fminf(fmaxf(u, fmaxf(y, w)), 0.f);
      float e3 = length(v3(fmaxf(u, 0.f), fmaxf(v, 0.f), fmaxf(z, 0.f))) + fminf(fmaxf(u, fmaxf(v, z)), 0.f);
      return fminf(e1, fminf(e2, e3));
    }
    case SHEET: {  // spans x and y, waves of depth a and frequency b along x, c along y
      float wave = a * sinf(b * l.x) * cosf(c * l.y);
      return box_distance(l.x, l.y, l.z - wave, sx - r, sy - r, fmaxf(sz - r, 0.f)) - r;
    }
    case BARS: {  // upright bars every a metres along x, b and sz thick
      float n = floorf(sx / a), i = clampf(roundf(l.x / a), -n, n);
      return box_distance(l.x - a * i, l.y, l.z, fmaxf(b - r, 0.f), sy - r, fmaxf(sz - r, 0.f)) - r;
    }
    case SPOKES: {  // a spokes around y from radius c to sx, b thick across, sz along y
      float step = 6.2831853f / a, turn = atan2f(l.z, l.x);
      turn -= step * roundf(turn / step);
      float u = length2(l.x, l.z), x = u * cosf(turn), z = u * sinf(turn);
      return box_distance(x - .5f * (c + sx), l.y, z, .5f * (sx - c), fmaxf(sz - r, 0.f), fmaxf(b - r, 0.f)) - r;
    }
    case BOWL: {  // a hollow sphere below height a, wall sz
      float u = length2(l.x, l.z), rim = sqrtf(fmaxf(sx * sx - a * a, 0.f));
      float e = (l.y * rim > a * u && l.y > a - 1e-6f) || l.y > a ? length2(u - rim, l.y - a)
                                                                  : fabsf(sqrtf(u * u + l.y * l.y) - sx);
      return e - sz;
    }
    case WEDGE: {  // an upright triangle of half-width sx and half-height sy, sz deep
      float slope = 2.f * sy / sx, k = 1.f / sqrtf(1.f + slope * slope);
      float e = (slope * fabsf(l.x) + l.y - sy) * k;
      return fmaxf(fmaxf(e, -sy - l.y), fabsf(l.z) - sz);
    }
    case STAR: {  // an extruded polygon or star in xy of a corners, inner radius b of the outer
      float step = 3.14159265f / a, turn = atan2f(l.x, l.y), u = length2(l.x, l.y);
      turn = fabsf(turn - 2.f * step * roundf(turn / (2.f * step)));
      float x = u * cosf(turn), y = u * sinf(turn);
      float tx = b * sx * cosf(step), ty = b * sx * sinf(step), ex = tx - sx, ey = ty;
      float t = clampf(((x - sx) * ex + y * ey) / fmaxf(ex * ex + ey * ey, 1e-9f), 0.f, 1.f);
      float e = length2(x - sx - ex * t, y - ey * t) * ((x - sx) * ey - y * ex > 0.f ? 1.f : -1.f);
      return fmaxf(e, fabsf(l.z) - sz) - r;
    }
    case PILLOW: {  // a superellipsoid of power a
      float k = powf(powf(fabsf(l.x) / sx, a) + powf(fabsf(l.y) / sy, a) + powf(fabsf(l.z) / sz, a), 1.f / a);
      return (k - 1.f) * fminf(sx, fminf(sy, sz)) * (k > 1.f ? .8f : 1.f);
    }
    case FOLIAGE: {  // leaves: a noise of frequency b and share a, within an ellipsoid
      float k0 = length(v3(l.x / sx, l.y / sy, l.z / sz));
      float inside = (k0 - 1.f) * fminf(sx, fminf(sy, sz));
      if (inside > .5f / b) return inside;
      float leaf = (noise(l * b, 77u + (uint32_t)c) - a - .15f * (1.f - k0)) / b * 1.1f;
      return fmaxf(inside + .3f / b * noise(l * (b * .5f), 5u), leaf);
    }
    default: {  // FLUTED: a cylinder whose radius waves a times by b
      float turn = atan2f(l.z, l.x), u = length2(l.x, l.z) - sx * (1.f + b * cosf(a * turn)), v = fabsf(l.y) - sy;
      return length2(fmaxf(u, 0.f), fmaxf(v, 0.f)) + fminf(fmaxf(u, v), 0.f);
    }
  }
}

// One thing record: 0-2 bounding centre, 3 bounding radius, 4 first primitive, 5 count, 6 blending radius, 7-9 dents
// (depth, frequency, phase), 10 instance, 11-12 cosine and sine of yaw, 13-15 origin of its textures, 16 see-through,
// 17 share of a step that is safe, 18-19 spare.
FN_BIG float thing_distance(const float *o, const float *prims, V3 p, int &nearest) {
  float k = o[6], d = 1e9f, closest = 1e9f;
  const float *q = prims + (size_t)o[4] * PRIM_FLOATS;
  int n = (int)o[5];
  nearest = 0;
  for (int i = 0; i < n; i++, q += PRIM_FLOATS) {
    if (q[22] > .5f) {
      d = fmaxf(d, -primitive_distance(q, p));
      continue;
    }
    float reach = length(v3(p.x - q[1], p.y - q[2], p.z - q[3])) - q[23];
    if (reach > d + k + .02f) continue;
    float e = reach > 1.f ? reach : primitive_distance(q, p);
    if (e < closest) {
      closest = e;
      nearest = i;
    }
    if (k > 0.f) {
      float h = fmaxf(k - fabsf(d - e), 0.f) / k;
      d = fminf(d, e) - h * h * k * .25f;
    } else {
      d = fminf(d, e);
    }
  }
  if (o[7] > 0.f && d < o[7] * 4.f) {
    float f = o[8], s = o[9];
    d += o[7] * (sinf(p.x * f + s) * sinf(p.y * f * 1.1f + s * 2.f) * sinf(p.z * f * .93f) +
                 .5f * (noise(p * (f * .7f), 7u) - .5f));
  }
  return d;
}

FN bool meet_sphere(const float *o, V3 from, V3 along, float &enter, float &leave) {
  V3 v = v3(o[0] - from.x, o[1] - from.y, o[2] - from.z);
  float b = dot(v, along), c = dot(v, v) - o[3] * o[3], h = b * b - c;
  if (h <= 0.f) return false;
  h = sqrtf(h);
  enter = b - h;
  leave = b + h;
  return leave > 0.f;
}

// March one thing between two depths of a ray; -1 where it is missed.
FN float march_thing(const float *o, const float *prims, V3 from, V3 along, float t, float end) {
  int i_;
  for (int i = 0; i < 90 && t < end; i++) {
    float d = thing_distance(o, prims, from + along * t, i_);
    if (d < .0004f * t + .00005f) return t;
    t += fmaxf(d * o[17], .0002f * t);
  }
  return -1.f;
}
// The last surface of a thing along a ray, marched backwards from where the ray leaves its sphere.
FN float march_back(const float *o, const float *prims, V3 from, V3 along, float front, float leave) {
  int i_;
  float t = leave;
  for (int i = 0; i < 70 && t > front; i++) {
    float d = thing_distance(o, prims, from + along * t, i_);
    if (d < .0006f * t) return t;
    t -= fmaxf(d * o[17], .0006f * t);
  }
  return front;
}

// ---- surroundings ---------------------------------------------------------------------------------------------------

// One scene record; names as in worlds/records.py.
enum {
  EYE = 0, RIGHT = 3, UP = 6, FORWARD = 9, FOCAL = 12, SUN = 13, SUN_COLOUR = 16, AMBIENT_UP = 19, AMBIENT_DOWN = 22,
  KIND = 25, WALL_X0 = 26, WALL_X1 = 27, WALL_Z0 = 28, WALL_Z1 = 29, CEILING_Y = 30, PANORAMA = 31, PANORAMA_TURN = 32,
  PANORAMA_GAIN = 33, HORIZON = 34, ZENITH = 37, CLOUD_SEED = 40, CLOUDS = 41, SHADOW_HARDNESS = 42, FOG = 43,
  FOG_COLOUR = 44, LAMP0 = 47, LAMP1 = 54, ROAD = 61, KERB_MATERIAL = 62, PATCH = 63, FIRST_THING = 68, THINGS = 69,
  FIRST_MATERIAL = 70, REFLECTS = 71
};

FN V3 fetch_panorama(const float *all, int index, int rows, int columns, float u, float v) {
  float X = u * columns, Y = v * (rows - 1), fx = X - floorf(X);
  int x = ((int)floorf(X)) % columns, y = (int)Y;
  float fy = Y - y;
  int x1 = (x + 1) % columns, y1 = y + 1 < rows ? y + 1 : rows - 1;
  const float *e = all + (size_t)index * rows * columns * 3;
  V3 a = load3(e + ((size_t)y * columns + x) * 3), b = load3(e + ((size_t)y * columns + x1) * 3);
  V3 c = load3(e + ((size_t)y1 * columns + x) * 3), d = load3(e + ((size_t)y1 * columns + x1) * 3);
  return mix(mix(a, b, fx), mix(c, d, fx), fy);
}
struct Panoramas {
  const float *pixels;
  int count, rows, columns;
};
FN_BIG V3 sky_colour(const float *c, V3 d, Panoramas env) {
  if (c[PANORAMA] >= 0.f && env.count) {
    float u = atan2f(d.x, d.z) / 6.2831853f + c[PANORAMA_TURN];
    u -= floorf(u);
    V3 e = fetch_panorama(env.pixels, (int)c[PANORAMA] % env.count, env.rows, env.columns, u,
                          acosf(clampf(d.y, -1.f, 1.f)) / 3.14159265f);
    return v3(fminf(e.x, 4.f), fminf(e.y, 4.f), fminf(e.z, 4.f)) * c[PANORAMA_GAIN];
  }
  V3 r = mix(load3(c + HORIZON), load3(c + ZENITH), powf(clampf(d.y, 0.f, 1.f), .6f));
  if (d.y > .01f) {
    float w = fractal(v3(d.x / d.y, 0.f, d.z / d.y) * .6f, (uint32_t)c[CLOUD_SEED], 5);
    r = mix(r, v3(1, 1, 1) * fmaxf(c[HORIZON], .2f) * 1.2f,
            smoothstep(.5f, .75f, w) * c[CLOUDS] * smoothstep(.01f, .2f, d.y));
  }
  return r + load3(c + SUN_COLOUR) * (powf(fmaxf(dot(d, load3(c + SUN)), 0.f), 900.f) * 8.f * (c[KIND] != ROOM));
}

// Where a ray meets ground, walls or ceiling: depth along the ray, instance and normal.
FN float meet_planes(const float *c, V3 from, V3 d, int &id, V3 &normal) {
  float best = 1e9f;
  id = 0;
  int kind = (int)c[KIND];
  if (kind == VOID) return best;
  if (d.y < -1e-6f) {
    best = -from.y / d.y;
    id = GROUND;
    normal = v3(0, 1, 0);
  }
  if (kind == OPEN_GROUND) return best;
  if (d.y > 1e-6f) {
    best = (c[CEILING_Y] - from.y) / d.y;
    id = CEILING;
    normal = v3(0, -1, 0);
  }
  if (fabsf(d.x) > 1e-6f) {
    float t = ((d.x > 0.f ? c[WALL_X1] : c[WALL_X0]) - from.x) / d.x;
    if (t < best) best = t, id = WALL, normal = v3(d.x > 0.f ? -1.f : 1.f, 0, 0);
  }
  if (fabsf(d.z) > 1e-6f) {
    float t = ((d.z > 0.f ? c[WALL_Z1] : c[WALL_Z0]) - from.z) / d.z;
    if (t < best) best = t, id = WALL, normal = v3(0, 0, d.z > 0.f ? -1.f : 1.f);
  }
  return best;
}

// ---- materials ------------------------------------------------------------------------------------------------------

enum Pattern {
  PLAIN, MOTTLED, STRIPES, CHECKER, DOTS, WOOD, BRICKS, PHOTO, PRINT, PLAID, MARBLE, GRADIENT, CELLS, BANDS, CAMOUFLAGE,
  LOGO, GRASS
};
FN float print_ink(float u, float v, uint32_t seed) {  // lines of something like writing: 1 where there is ink
  float row = floorf(v * 8.f), fv = v * 8.f - row;
  int block = (int)floorf(row / 9.f);
  if (hash01(block, 3, 1, seed) < .25f) return 0.f;
  float big = hash01((int)row / 3, block, 5, seed) < .15f ? 3.f : 1.f;
  float column = floorf(u * 22.f / big);
  float word = hash01((int)floorf(column / 5.f), (int)row, 9, seed);
  if (fv < .25f || fv > .8f || word < .2f) return 0.f;
  return hash01((int)column, (int)row, 2, seed) < .72f ? 1.f : 0.f;
}

// One material record: 0 pattern, 1-3 and 4-6 colours, 7 scale, 8 seed, 9-11 and 12-14 directions (zero: by face),
// 15-16 parameters, 17 fine grain, 18 gloss, 19 sharpness of gloss, 20 wear, 21-23 its colour, 24 light that it gives,
// 25 metal, 26-27 spare.
FN_BIG V3 material_colour(const float *m, V3 p, V3 n, Panoramas env) {
  V3 a = load3(m + 1), b = load3(m + 4), q = p * m[7], r = a;
  uint32_t seed = (uint32_t)m[8];
  float u, v;
  V3 dx = load3(m + 9), dy = load3(m + 12);
  if (dot(dx, dx) > .5f) {
    u = dot(q, dx);
    v = dot(q, dy);
  } else if (fabsf(n.y) > fabsf(n.x) && fabsf(n.y) > fabsf(n.z)) {
    u = q.x;
    v = q.z;
  } else if (fabsf(n.x) > fabsf(n.z)) {
    u = q.z;
    v = q.y;
  } else {
    u = q.x;
    v = q.y;
  }
  switch ((int)m[0]) {
    case MOTTLED:
      r = mix(a, b, smoothstep(.3f, .7f, fractal(q, seed, 4)));
      break;
    case STRIPES:
      r = mix(a, b, smoothstep(.5f - .45f * m[16], .5f + .45f * m[16], .5f + .5f * sinf((u * 2.f + m[15] * fractal(q, seed, 3)) * 6.2831853f)));
      break;
    case CHECKER:
      r = (((int)floorf(u * 2.f) + (int)floorf(v * 2.f)) & 1) ? a : b;
      break;
    case DOTS: {
      int iu = (int)floorf(u * 2.f), iv = (int)floorf(v * 2.f);
      float best = 9.f;
      for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++) {
          float cx = iu + i + (m[15] > 1.f ? hash01(iu + i, iv + j, 0, seed) : .5f);
          float cy = iv + j + (m[15] > 1.f ? hash01(iu + i, iv + j, 1, seed) : .5f);
          float e = (u * 2.f - cx) * (u * 2.f - cx) + (v * 2.f - cy) * (v * 2.f - cy);
          best = fminf(best, e);
        }
      r = mix(b, a, smoothstep(.05f, .08f, best));
      break;
    }
    case WOOD: {
      float board = floorf(u * (.5f + m[15]));
      V3 w = v3(q.x * (.15f + .85f * m[16]), q.y * .4f + board * 7.3f, q.z * (1.f - .85f * m[16]));
      float ring = sqrtf(w.x * w.x + w.z * w.z) * 5.f + 2.5f * fractal(w * 2.f, seed, 3);
      float gap = m[15] > .6f && (u * (.5f + m[15]) - board) < .03f ? .45f : 1.f;
      r = mix(a, b, .5f + .5f * sinf(ring * 6.2831853f)) * ((.85f + .3f * hash01((int)board, 1, 2, seed)) * gap);
      break;
    }
    case BRICKS: {
      float y = v * (2.f + 4.f * m[15]);
      int iv = (int)floorf(y);
      float x = u * 2.5f + .5f * (iv & 1) * (m[16] > .5f ? 1.f : 0.f);
      int iu = (int)floorf(x);
      float fu = x - floorf(x), fv = y - floorf(y), joint = (fu < .04f || fv < .07f) ? 0.f : 1.f;
      r = mix(b, a * (.75f + .5f * hash01(iu, iv, 3, seed)), joint);
      break;
    }
    case PHOTO:
      if (env.count) {
        float x = u * .5f + m[15], y = v * .5f + m[16];
        x = fabsf(x - 2.f * floorf(x * .5f + .5f));
        y = fabsf(y - 2.f * floorf(y * .5f + .5f));
        r = fetch_panorama(env.pixels, seed % env.count, env.rows, env.columns, fminf(x, .999f), fminf(y, .999f));
        r = v3(clampf(r.x, 0, 1), clampf(r.y, 0, 1), clampf(r.z, 0, 1)) * (a * .5f + v3(.6f, .6f, .6f));
      }
      break;
    case PRINT:
      r = mix(a, b, print_ink(u, v, seed));
      break;
    case PLAID: {
      float s = sinf(u * 12.566f), t = sinf(v * 12.566f);
      r = mix(a, b, .5f * (s > m[15] - .5f ? 1.f : 0.f) + .5f * (t > m[16] - .5f ? 1.f : 0.f));
      break;
    }
    case MARBLE: {
      float w = fabsf(sinf((u + 2.5f * fractal(q, seed, 5)) * 4.f));
      r = mix(b, a, smoothstep(0.f, .25f + .5f * m[15], w));
      break;
    }
    case GRADIENT:
      r = mix(a, b, clampf(p.y * m[15] * 2.f + .2f * (fractal(q, seed, 3) - .5f), 0.f, 1.f));
      break;
    case CELLS: {
      int iu = (int)floorf(u * 3.f), iv = (int)floorf(v * 3.f), own = 0;
      float best = 9.f, second = 9.f;
      for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++) {
          float cx = iu + i + hash01(iu + i, iv + j, 0, seed), cy = iv + j + hash01(iu + i, iv + j, 1, seed);
          float e = length2(u * 3.f - cx, v * 3.f - cy);
          if (e < best) {
            second = best;
            best = e;
            own = (iu + i) * 31 + iv + j;
          } else {
            second = fminf(second, e);
          }
        }
      r = second - best < .06f ? b : a * (.6f + .8f * hash01(own, 1, 1, seed));
      break;
    }
    case BANDS: {  // a label around a thing: a band of height with a print on it
      float y = p.y * m[15], f = y - floorf(y);
      r = f > .3f && f < .72f ? mix(b, mix(a, v3(1, 1, 1), .2f), print_ink(u * .7f, v, seed)) : a;
      break;
    }
    case CAMOUFLAGE: {
      float w = fractal(q, seed, 3);
      r = w < .44f ? a : w < .55f ? b : (a + b) * .35f;
      break;
    }
    case LOGO: {
      float fu = u - floorf(u) - .5f, fv = v - floorf(v) - .5f;
      int iu = (int)floorf(u), iv = (int)floorf(v);
      float size = .15f + .25f * hash01(iu, iv, 1, seed), kind = hash01(iu, iv, 2, seed);
      bool on = kind < .3f ? length2(fu, fv) < size : kind < .6f ? fmaxf(fabsf(fu), 2.f * fabsf(fv)) < size
                : kind < .8f ? fabsf(length2(fu, fv) - size) < .05f : fabsf(fu) + fabsf(fv) < size;
      r = on ? b : a;
      break;
    }
    case GRASS: {
      float w = fractal(q, seed, 3), blade = noise(v3(q.x * 30.f, q.y * 9.f, q.z * 30.f), seed + 5);
      r = mix(a, b, w) * (.6f + .8f * blade);
      break;
    }
    default:
      break;
  }
  if (m[20] > 0.f) r = mix(r, load3(m + 21), smoothstep(.62f - .3f * m[20], .7f, fractal(q * 1.7f, seed + 51, 4)) * .8f);
  float g = 1.f + (noise(q * 9.f, seed + 91u) - .5f) * m[17];
  return v3(fmaxf(r.x * g, 0.f), fmaxf(r.y * g, 0.f), fmaxf(r.z * g, 0.f));
}

// ---- light ----------------------------------------------------------------------------------------------------------

struct Things {
  const float *records, *prims;
  int count;
};
FN float lit_share(Things all, V3 p, V3 along, float reach, float hardness) {
  float share = 1.f;
  for (int i = 0; i < all.count && share > .02f; i++) {
    const float *o = all.records + (size_t)i * THING_FLOATS;
    float enter, leave;
    if (!meet_sphere(o, p, along, enter, leave) || enter > reach) continue;
    float t = fmaxf(enter, .01f), end = fminf(leave, reach);
    int n_;
    for (int k = 0; k < 26 && t < end; k++) {
      float d = thing_distance(o, all.prims, p + along * t, n_);
      share = fminf(share, hardness * d / t);
      if (share < .02f) break;
      t += clampf(d, .015f + .01f * t, .8f);
    }
  }
  share = clampf(share, 0.f, 1.f);
  return share * share * (3.f - 2.f * share);
}
FN float open_share(const float *c, Things all, V3 p, V3 n) {  // ambient occlusion
  float sum = 0.f, weight = 1.f;
  for (int i = 1; i < 5; i++) {
    float r = .03f * i * i + .01f;
    V3 q = p + n * r;
    float d = c[KIND] == VOID ? 1e3f : q.y;
    if (c[KIND] == ROOM)
      d = fminf(d, fminf(fminf(q.x - c[WALL_X0], c[WALL_X1] - q.x),
                         fminf(fminf(q.z - c[WALL_Z0], c[WALL_Z1] - q.z), c[CEILING_Y] - q.y)));
    for (int k = 0; k < all.count; k++) {
      const float *o = all.records + (size_t)k * THING_FLOATS;
      float bound = length(v3(q.x - o[0], q.y - o[1], q.z - o[2])) - o[3];
      if (bound > r || bound > d) continue;
      int n_;
      d = fminf(d, thing_distance(o, all.prims, q, n_));
    }
    sum += weight * fmaxf(r - d, 0.f) / r;
    weight *= .6f;
  }
  return clampf(1.f - .45f * sum, .1f, 1.f);
}
FN bool in_light_patch(const float *c, V3 p, V3 sun) {  // sun through a window of the room: mullions and all
  if (c[PATCH] < .5f) return true;
  if (sun.z > -1e-3f && sun.z < 1e-3f) return false;
  float side = sun.z > 0.f ? c[WALL_Z1] : c[WALL_Z0], t = (side - p.z) / sun.z;
  float x = (p.x + sun.x * t - c[PATCH + 1]) / c[PATCH + 3], y = (p.y + sun.y * t - c[PATCH + 2]) / c[PATCH + 4];
  if (t < 0.f || fabsf(x) > 1.f || fabsf(y) > 1.f) return false;
  return fabsf(fabsf(x) - .5f) > .05f && fabsf(y) > .05f;
}

struct Hit {
  float t;
  int id, thing, prim;
  V3 normal;
};
struct Surface {
  V3 colour, albedo;
};
FN Surface shade(const float *c, Things all, const float *materials, Panoramas env, V3 from, V3 along, Hit hit) {
  V3 p = from + along * hit.t, n = hit.normal, tp = p, tn = n;
  int index = hit.id == GROUND ? 0 : hit.id == WALL ? 1 : 2;
  if (hit.thing >= 0) {
    const float *o = all.records + (size_t)hit.thing * THING_FLOATS;
    index = (int)all.prims[((size_t)o[4] + hit.prim) * PRIM_FLOATS + 17];
    tp = v3(p.x - o[13], p.y - o[14], p.z - o[15]);
    tp = v3(o[11] * tp.x - o[12] * tp.z, tp.y, o[12] * tp.x + o[11] * tp.z);
    tn = v3(o[11] * n.x - o[12] * n.z, n.y, o[12] * n.x + o[11] * n.z);
  } else if (hit.id == GROUND && c[ROAD] > 0.f && fabsf(p.x) > c[ROAD]) {
    index = (int)c[KERB_MATERIAL];
  }
  const float *m = materials + ((size_t)c[FIRST_MATERIAL] + index) * MATERIAL_FLOATS;
  V3 a = material_colour(m, tp, tn, env);
  float lift = .002f + .0015f * hit.t;
  V3 q = p + n * lift, sun = load3(c + SUN), light = v3(0, 0, 0), shine = v3(0, 0, 0), view = along * -1.f;
  float facing = dot(n, sun);
  if (facing > 0.f && c[SUN_COLOUR] + c[SUN_COLOUR + 2] > 0.f && in_light_patch(c, p, sun)) {
    float share = lit_share(all, q, sun, 30.f, c[SHADOW_HARDNESS]);
    light = light + load3(c + SUN_COLOUR) * (facing * share);
    shine = shine + load3(c + SUN_COLOUR) * (powf(fmaxf(dot(n, normalise(sun + view)), 0.f), m[19]) * share);
  }
  for (int i = 0; i < 2; i++) {
    const float *lamp = c + (i ? LAMP1 : LAMP0);
    if (lamp[6] <= 0.f) continue;
    V3 to = load3(lamp) - q;
    float far = length(to), fall = lamp[6] * lamp[6] / (lamp[6] * lamp[6] + far * far);
    to = to * (1.f / fmaxf(far, 1e-4f));
    float face = dot(n, to);
    if (face <= 0.f) continue;
    float share = i ? 1.f : lit_share(all, q, to, far - .12f, c[SHADOW_HARDNESS]);
    light = light + load3(lamp + 3) * (face * fall * share);
    shine = shine + load3(lamp + 3) * (powf(fmaxf(dot(n, normalise(to + view)), 0.f), m[19]) * fall * share);
  }
  float open = open_share(c, all, q, n), gloss = m[18];
  V3 ambient = mix(load3(c + AMBIENT_DOWN), load3(c + AMBIENT_UP), .5f + .5f * n.y) * open;
  V3 tint = mix(v3(1, 1, 1), a, m[25]);
  V3 colour = a * (light + ambient) * (1.f - .7f * m[25]) + shine * tint * (gloss * 1.5f) + a * m[24];
  if (gloss > .3f || m[25] > 0.f) {
    V3 r = along - n * (2.f * dot(along, n));
    float fresnel = .04f + .96f * powf(1.f - fmaxf(dot(n, view), 0.f), 5.f);
    V3 seen = c[KIND] == ROOM && c[REFLECTS] < .5f ? mix(load3(c + AMBIENT_DOWN), load3(c + AMBIENT_UP), .5f + .5f * r.y)
                                                    : sky_colour(c, r, env);
    colour = mix(colour, seen * tint, clampf((gloss - .3f) * fresnel * 2.f + m[25] * .75f, 0.f, .9f) * open);
  }
  return Surface{colour, a};
}

FN_BIG void find_normal(Things all, V3 p, Hit &hit) {
  const float *o = all.records + (size_t)hit.thing * THING_FLOATS;
  float h = .0007f * hit.t + .0003f;
  int i_;
  float e0 = thing_distance(o, all.prims, p + v3(h, -h, -h), i_), e1 = thing_distance(o, all.prims, p + v3(-h, -h, h), i_);
  float e2 = thing_distance(o, all.prims, p + v3(-h, h, -h), i_), e3 = thing_distance(o, all.prims, p + v3(h, h, h), i_);
  hit.normal = normalise(v3(e0 - e1 - e2 + e3, -e0 - e1 + e2 + e3, -e0 + e1 - e2 + e3));
  thing_distance(o, all.prims, p, hit.prim);
}

struct Truth {
  float *radiance, *albedo, *depth, *far, *behind, *normal;
  uint8_t *instance, *part;
};

FN void render_pixel(const float *c, const float *things, const float *prims, const float *materials, Panoramas env,
                         int picture, int height, int width, int x, int y, Truth out) {
  Things all{things + (size_t)c[FIRST_THING] * THING_FLOATS, prims, (int)c[THINGS]};
  V3 eye = load3(c + EYE), right = load3(c + RIGHT), up = load3(c + UP), forward = load3(c + FORWARD);
  float scale = 1.f / (c[FOCAL] * (height > width ? height : width));
  V3 d = normalise(forward + right * ((x + .5f - width * .5f) * scale) - up * ((y + .5f - height * .5f) * scale));
  float axial = dot(d, forward);
  Hit first{1e9f, 0, -1, 0, v3(0, 0, 0)}, second = first;
  V3 normal = v3(0, 0, 0);
  int id;
  float t = meet_planes(c, eye, d, id, normal);
  if (t < FARTHEST_M) first = Hit{t, id, -1, 0, normal};
  float leave_first = 0.f;
  for (int i = 0; i < all.count; i++) {
    const float *o = all.records + (size_t)i * THING_FLOATS;
    float enter, leave;
    if (!meet_sphere(o, eye, d, enter, leave) || enter > second.t) continue;
    float at = march_thing(o, prims, eye, d, fmaxf(enter, NEAREST_M), fminf(leave, fminf(second.t, FARTHEST_M)));
    if (at < 0.f) continue;
    Hit hit{at, (int)o[10], i, 0, v3(0, 0, 0)};
    if (hit.id == first.id) {
      if (hit.t < first.t) first = hit, leave_first = leave;
    } else if (hit.t < first.t) {
      second = first;
      first = hit;
      leave_first = leave;
    } else if (hit.t < second.t) {
      second = hit;
    }
  }
  size_t plane = (size_t)height * width, at = (size_t)picture * plane + (size_t)y * width + x;
  size_t rgb = (size_t)picture * 3 * plane + (size_t)y * width + x;
  V3 colour, albedo, n = v3(0, 0, 0);
  float depth = SKY_M, far = SKY_M, behind = SKY_M;
  int part = 0;
  if (first.t > FARTHEST_M) {
    colour = albedo = sky_colour(c, d, env);
    first.id = 0;
  } else {
    if (first.thing >= 0) find_normal(all, eye + d * first.t, first);
    if (dot(first.normal, d) > 0.f) first.normal = first.normal * -1.f;
    n = first.normal;
    Surface seen = shade(c, all, materials, env, eye, d, first);
    colour = seen.colour;
    albedo = seen.albedo;
    depth = far = behind = first.t * axial;
    part = first.id;
    if (first.thing >= 0) {
      const float *o = all.records + (size_t)first.thing * THING_FLOATS;
      part = first.id > 250 ? first.id : (int)prims[((size_t)o[4] + first.prim) * PRIM_FLOATS + 18];
      if (first.id <= 250) {
        far = march_back(o, prims, eye, d, first.t, leave_first) * axial;
        behind = fminf(second.t * axial, SKY_M);
      }
      if (o[16] > 0.f) {  // see-through: what stands behind shines through, once
        V3 back = sky_colour(c, d, env);
        if (second.t < FARTHEST_M) {
          if (second.thing >= 0) find_normal(all, eye + d * second.t, second);
          if (dot(second.normal, d) > 0.f) second.normal = second.normal * -1.f;
          back = shade(c, all, materials, env, eye, d, second).colour;
        }
        float edge = powf(1.f - fabsf(dot(n, d)), 2.f);
        colour = mix(colour, back * mix(v3(1, 1, 1), albedo, .6f), o[16] * (1.f - .75f * edge));
      }
    }
    colour = mix(load3(c + FOG_COLOUR), colour, expf(-first.t * c[FOG]));
  }
  out.radiance[rgb] = fminf(colour.x, 1e3f);
  out.radiance[rgb + plane] = fminf(colour.y, 1e3f);
  out.radiance[rgb + 2 * plane] = fminf(colour.z, 1e3f);
  out.albedo[rgb] = fminf(albedo.x, 1.f);
  out.albedo[rgb + plane] = fminf(albedo.y, 1.f);
  out.albedo[rgb + 2 * plane] = fminf(albedo.z, 1.f);
  out.normal[rgb] = dot(n, right);
  out.normal[rgb + plane] = -dot(n, up);
  out.normal[rgb + 2 * plane] = dot(n, forward);
  out.depth[at] = depth;
  out.far[at] = fmaxf(far, depth);
  out.behind[at] = fmaxf(behind, depth);
  out.instance[at] = (uint8_t)first.id;
  out.part[at] = (uint8_t)part;
}

// ---- entry points: the same arguments, the pointers on the device or in host memory --------------------------------

#define ARGUMENTS                                                                                                      \
  const float *scenes, const float *things, const float *prims, const float *materials, const float *panoramas,       \
      int panorama_count, int panorama_rows, int panorama_columns, int pictures, int height, int width,               \
      float *radiance, float *albedo, float *depth, float *far, float *behind, float *normal, uint8_t *instance,      \
      uint8_t *part

#ifdef __CUDACC__
__global__ void __launch_bounds__(128) render_kernel(ARGUMENTS) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, b = blockIdx.z;
  if (x >= width || y >= height) return;
  render_pixel(scenes + (size_t)b * SCENE_FLOATS, things, prims, materials,
               Panoramas{panoramas, panorama_count, panorama_rows, panorama_columns}, b, height, width, x, y,
               Truth{radiance, albedo, depth, far, behind, normal, instance, part});
}
extern "C" int render_worlds(ARGUMENTS, void *stream) {
  dim3 block(16, 8), grid((width + 15) / 16, (height + 7) / 8, pictures);
  render_kernel<<<grid, block, 0, (cudaStream_t)stream>>>(scenes, things, prims, materials, panoramas, panorama_count,
                                                          panorama_rows, panorama_columns, pictures, height, width,
                                                          radiance, albedo, depth, far, behind, normal, instance, part);
  return (int)cudaGetLastError();
}
#else
extern "C" int render_worlds(ARGUMENTS, void *) {
#pragma omp parallel for collapse(2) schedule(dynamic, 4)
  for (int b = 0; b < pictures; b++)
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        render_pixel(scenes + (size_t)b * SCENE_FLOATS, things, prims, materials,
                     Panoramas{panoramas, panorama_count, panorama_rows, panorama_columns}, b, height, width, x, y,
                     Truth{radiance, albedo, depth, far, behind, normal, instance, part});
  return 0;
}
#endif
